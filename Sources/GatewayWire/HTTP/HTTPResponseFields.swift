// What the status line and the header lines of a response say about its body and its connection.

/// The facts of a response's head that decide how the rest is read.
struct HTTPResponseFields: Sendable {
    private(set) var status = 0
    /// The header lines as they came.
    var lines: [UInt8] = []
    private(set) var length: Int?
    private(set) var isChunked = false
    private var isUncoded = false
    private(set) var isEncoded = false
    private(set) var keepsConnection = true
    private(set) var idleSeconds: Int?

    /// Reads a line such as `HTTP/1.1 200 OK` (RFC 9112 §4). The reason may be missing.
    mutating func readStatus(_ text: UnsafeRawBufferPointer) throws(HTTPResponseError) {
        guard text.count >= 12, text.clamped(to: 0..<7).equals("HTTP/1."), text[8] == 0x20,
            text.count == 12 || text[12] == 0x20
        else { throw .malformed("it does not begin with a status line of HTTP/1") }
        switch text[7] {
        case UInt8(ascii: "1"): keepsConnection = true
        case UInt8(ascii: "0"): keepsConnection = false
        default: throw .malformed("it is of an unknown version of HTTP")
        }
        for byte in text.clamped(to: 9..<12) {
            guard (0x30...0x39).contains(byte) else { throw .malformed("its status is not a number") }
            status = status * 10 + Int(byte - 0x30)
        }
        guard (100...999).contains(status) else { throw .malformed("its status is not a number") }
        lines.reserveCapacity(512)
    }

    /// Looks at one header line.
    mutating func read(_ text: UnsafeRawBufferPointer) throws(HTTPResponseError) {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > 0 else {
            throw .malformed("a header line has no name")
        }
        let name = text.clamped(to: 0..<colon)
        // White space there makes a name that some readers see and others do not (RFC 9112 §5.1); before the name it
        // would continue the line before.
        guard !name.contains(where: { $0 <= 0x20 || $0 == 0x7F }) else {
            throw .malformed("the name of a header line has white space in it")
        }
        switch name.count {
        case 10 where name.equalsIgnoringCase("connection"): readConnection(text.value(after: colon))
        case 10 where name.equalsIgnoringCase("keep-alive"): readKeepAlive(text.value(after: colon))
        case 14 where name.equalsIgnoringCase("content-length"): try readLength(text.value(after: colon))
        case 16 where name.equalsIgnoringCase("content-encoding"):
            let value = text.value(after: colon)
            if !value.isEmpty, !value.equalsIgnoringCase("identity") { isEncoded = true }
        case 17 where name.equalsIgnoringCase("transfer-encoding"): try readCoding(text.value(after: colon))
        default: break
        }
    }

    private mutating func readConnection(_ value: UnsafeRawBufferPointer) {
        HTTPList.forEach(in: value) { item in
            if item.equalsIgnoringCase("close") { keepsConnection = false }
            if item.equalsIgnoringCase("keep-alive") { keepsConnection = true }
        }
    }

    /// `timeout=5, max=100` (RFC 2068 §19.7.1.1). It is advice: what cannot be read says nothing.
    private mutating func readKeepAlive(_ value: UnsafeRawBufferPointer) {
        HTTPList.forEach(in: value) { item in
            guard item.startsIgnoringCase(with: "timeout=") else { return }
            let digits = item.clamped(to: 8..<item.count)
            guard (1...9).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return }
            idleSeconds = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        }
    }

    private mutating func readLength(_ value: UnsafeRawBufferPointer) throws(HTTPResponseError) {
        // The same length several times, in one line or more, is one length (RFC 9112 §6.3).
        try HTTPList.forEach(in: value, skipsEmpty: false) { digits throws(HTTPResponseError) in
            guard (1...18).contains(digits.count) else { throw .malformed("its length is not a number") }
            var number = 0
            for byte in digits {
                guard (0x30...0x39).contains(byte) else { throw .malformed("its length is not a number") }
                number = number * 10 + Int(byte - 0x30)
            }
            guard length == nil || length == number else { throw .malformed("it has two lengths") }
            length = number
        }
    }

    private mutating func readCoding(_ value: UnsafeRawBufferPointer) throws(HTTPResponseError) {
        // Of "chunked" and "identity" together some readers believe the one, some the other.
        if value.equalsIgnoringCase("identity"), !isChunked {
            isUncoded = true
            return
        }
        guard value.equalsIgnoringCase("chunked"), !isChunked, !isUncoded else {
            throw .malformed("its transfer coding is not known")
        }
        isChunked = true
    }
}

extension UnsafeRawBufferPointer {
    /// What comes after the colon of a header line, without the white space around it.
    fileprivate func value(after colon: Int) -> UnsafeRawBufferPointer {
        clamped(to: (colon + 1)..<count).trimmingBlanks
    }
}

// Reads HTTP/1.1 requests off a connection of the scripted engine: head, then a body by length or in chunks.

internal import ModelGateway

/// The request side of one connection.
struct EngineRequestReader {
    private let descriptor: Int32
    private let index: Int
    private let received: ([UInt8]) -> Void
    private var buffer: [UInt8] = []
    private var count = 0

    /// - Parameter received: Is told each batch of bytes as it comes in.
    init(descriptor: Int32, index: Int, received: @escaping ([UInt8]) -> Void) {
        self.descriptor = descriptor
        self.index = index
        self.received = received
    }

    /// The next request, or nil if the connection ends first.
    mutating func next() -> RecordedRequest? {
        var headEnd = Self.find(Array("\r\n\r\n".utf8), in: buffer)
        while headEnd == nil {
            guard fill() else { return nil }
            headEnd = Self.find(Array("\r\n\r\n".utf8), in: buffer)
        }
        guard let headEnd else { return nil }
        let lines = String(decoding: buffer[..<headEnd], as: UTF8.self).split(separator: "\r\n")
        buffer.removeFirst(headEnd + 4)
        guard let first = lines.first else { return nil }
        let words = first.split(separator: " ")
        guard words.count == 3 else { return nil }
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return HTTPHeader(String(parts[0]), parts.count > 1 ? Self.trimmed(parts[1]) : "")
        }
        guard let body = readBody(headers) else { return nil }
        defer { count += 1 }
        return RecordedRequest(
            connection: index,
            indexOnConnection: count,
            method: String(words[0]),
            target: String(words[1]),
            headers: headers,
            body: body
        )
    }

    private mutating func readBody(_ headers: [HTTPHeader]) -> [UInt8]? {
        func value(_ name: String) -> String? { headers.first { $0.isNamed(name) }?.value }
        if value("expect")?.lowercased() == "100-continue" {
            _ = EngineSocket.write(descriptor, Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        if value("transfer-encoding")?.lowercased() == "chunked" { return readChunks() }
        guard let length = value("content-length").flatMap({ Int($0) }) else { return [] }
        return take(length)
    }

    private mutating func readChunks() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            guard let line = takeLine(), let size = Int(line.prefix { $0 != ";" }, radix: 16) else { return nil }
            if size == 0 {
                while let trailer = takeLine() {
                    if trailer.isEmpty { return body }
                }
                return nil
            }
            guard let chunk = take(size), take(2) != nil else { return nil }
            body += chunk
        }
    }

    private mutating func takeLine() -> String? {
        while true {
            if let end = Self.find([0x0D, 0x0A], in: buffer) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 2)
                return line
            }
            guard fill() else { return nil }
        }
    }

    private mutating func take(_ count: Int) -> [UInt8]? {
        while buffer.count < count {
            guard fill() else { return nil }
        }
        let bytes = Array(buffer[..<count])
        buffer.removeFirst(count)
        return bytes
    }

    private mutating func fill() -> Bool {
        let bytes = EngineSocket.read(descriptor)
        if bytes.isEmpty { return false }
        received(bytes)
        buffer += bytes
        return true
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (0...(bytes.count - pattern.count)).first { start in
            pattern.indices.allSatisfy { bytes[start + $0] == pattern[$0] }
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}

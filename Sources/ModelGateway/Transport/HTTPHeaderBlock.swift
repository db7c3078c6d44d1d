// The header lines of a response as bytes, and how values are found in them.

import GatewayWire

/// The header lines of a response, kept as the bytes that arrived, since most are never looked at.
public struct HTTPHeaderBlock: Sendable {
    /// The lines as received, each ended by CR LF, without the status line and the empty line.
    package let bytes: [UInt8]

    /// Wraps header lines, each ended by LF or CR LF.
    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Writes header lines into a block.
    /// - Parameter fields: The lines; values must not contain line ends.
    public init(_ fields: [HTTPHeader]) {
        var bytes: [UInt8] = []
        for field in fields { bytes += "\(field.name): \(field.value)\r\n".utf8 }
        self.init(bytes: bytes)
    }

    /// The value of the first line with this name, without surrounding white space.
    /// - Parameter name: The field name; ASCII case does not matter.
    public subscript(name: StaticString) -> String? {
        bytes.withBytes { bytes in
            var lines = HeaderLines(bytes)
            while let line = lines.next() {
                let found = UnsafeRawBufferPointer(rebasing: bytes[line.name])
                if found.equalsIgnoringCase(name) { return bytes.text(in: line.value) }
            }
            return nil
        }
    }

    /// The header lines with wanted names, in the order in which they arrived; the others cost no memory.
    /// - Parameter isWanted: Decides about a name, given as it was written.
    package func fields(where isWanted: (UnsafeRawBufferPointer) -> Bool) -> [HTTPHeader] {
        bytes.withBytes { bytes in
            var fields: [HTTPHeader] = []
            var lines = HeaderLines(bytes)
            while let line = lines.next() {
                guard isWanted(UnsafeRawBufferPointer(rebasing: bytes[line.name])) else { continue }
                fields.append(HTTPHeader(bytes.text(in: line.name), bytes.text(in: line.value)))
            }
            return fields
        }
    }

    /// The same lines without those of the given names.
    func removingLines(named names: [StaticString]) -> HTTPHeaderBlock {
        var kept: [UInt8] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let isNamed = line.withUnsafeBytes { line in
                let name = UnsafeRawBufferPointer(rebasing: line.prefix { $0 != UInt8(ascii: ":") })
                return names.contains { name.equalsIgnoringCase($0) }
            }
            if isNamed { continue }
            kept.append(contentsOf: line)
            kept.append(UInt8(ascii: "\n"))
        }
        return HTTPHeaderBlock(bytes: kept)
    }

    /// All header lines in the order in which they arrived.
    public var fields: [HTTPHeader] {
        bytes.withBytes { bytes in
            var fields: [HTTPHeader] = []
            var lines = HeaderLines(bytes)
            while let line = lines.next() {
                fields.append(HTTPHeader(bytes.text(in: line.name), bytes.text(in: line.value)))
            }
            return fields
        }
    }
}

/// Iterates over the header lines of a block; a line without a colon is skipped.
private struct HeaderLines {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Where the next line's name is, and where its value is, without surrounding white space.
    mutating func next() -> (name: Range<Int>, value: Range<Int>)? {
        while position < bytes.count {
            let start = position
            var colon: Int?
            while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
                if colon == nil, bytes[position] == UInt8(ascii: ":") { colon = position }
                position += 1
            }
            let end = position
            position += 1
            if let colon { return (start..<colon, trimmed((colon + 1)..<end)) }
        }
        return nil
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isSpace(bytes[start]) { start += 1 }
        while start < end, isSpace(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func text(in range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: self[range]), as: UTF8.self)
    }
}

// Frames of HTTP/2 as bytes, for clients that break its rules.

/// The frames of RFC 9113 §6.
enum Frames {
    static let head: UInt8 = 1
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let continuation: UInt8 = 9

    /// What a client begins with.
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(settings, 0, 0, [])

    static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt16, _ payload: [UInt8]) -> [UInt8] {
        let count = payload.count
        let length = [UInt8(count >> 16), UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF)]
        return length + [type, flags, 0, 0, UInt8(stream >> 8), UInt8(stream & 0xFF)] + payload
    }

    /// A whole head. A request without a body ends with it, unless its method is POST.
    static func headers(_ stream: UInt16, _ block: [UInt8]) -> [UInt8] {
        frame(head, 5, stream, block)
    }

    struct Frame {
        var type: UInt8
        var stream: UInt8
        var payload: [UInt8]
    }

    /// The frames that bytes consist of, as far as they are whole.
    static func parse(_ bytes: [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var position = 0
        while bytes.count >= position + 9 {
            let length = bytes[position..<position + 3].reduce(0) { $0 << 8 | Int($1) }
            let end = position + 9 + length
            guard bytes.count >= end else { break }
            frames.append(
                Frame(type: bytes[position + 3], stream: bytes[position + 8], payload: Array(bytes[position + 9..<end]))
            )
            position = end
        }
        return frames
    }
}

extension RawClient {
    /// Waits for a frame.
    func frame(where condition: (Frames.Frame) -> Bool) async throws -> Frames.Frame {
        try await wait { bytes, _ in Frames.parse(bytes).first(where: condition) }
    }
}

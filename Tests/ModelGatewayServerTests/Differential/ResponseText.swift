// HTTP responses made up at random: well-formed ones, and ones with something wrong.

import GatewayWire

enum ResponseText {
    /// A response that keeps to every rule.
    static func random(using random: inout SeededGenerator) -> [UInt8] {
        var text = ""
        if Int.random(in: 0..<8, using: &random) == 0 { text += "HTTP/1.1 100 Continue\r\nx-early: yes\r\n\r\n" }
        let status = [200, 200, 200, 201, 204, 304, 400, 404, 429, 500, 503, 599].randomElement(using: &random) ?? 200
        let reason = ["", " OK", " Not Quite So"].randomElement(using: &random) ?? ""
        text += "HTTP/1.1 \(status)\(reason.isEmpty ? " " : reason)\r\n"
        for number in 0..<Int.random(in: 0..<6, using: &random) {
            let value = ["", "a", "text/event-stream; charset=utf-8", "x,y", "\"quoted\"", "ümläut", "  padded\t"]
            text += "X-Field-\(number):\(value.randomElement(using: &random) ?? "")\r\n"
        }
        let body = (0..<Int.random(in: 0..<200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        let hasBody = status != 204 && status != 304
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where hasBody:
            return Array("\(text)transfer-encoding: chunked\r\n\r\n".utf8) + chunked(body, using: &random)
        case 1 where hasBody:
            return Array("\(text)connection: close\r\n\r\n".utf8) + body
        default:
            return Array("\(text)Content-Length: \(hasBody ? body.count : 0)\r\n\r\n".utf8) + (hasBody ? body : [])
        }
    }

    /// A response of ``random(using:)`` with some bytes changed, taken away, doubled or put in.
    static func broken(using random: inout SeededGenerator) -> [UInt8] {
        var bytes = Self.random(using: &random)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            // Mostly in the head, where all decisions fall.
            let end = Bool.random(using: &random) ? bytes.count : min(bytes.count, 120)
            let position = Int.random(in: 0..<end, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: position)
            case 2: bytes.insert(bytes[position], at: position)
            case 3:
                let odd = Array("\r\n\t :,;0159af+-".utf8)
                bytes[position] = odd.randomElement(using: &random) ?? 0
            default:
                let lines = [
                    "\r\nContent-Length: 3", "\r\nContent-Length: 3, 3", "\r\nContent-Length: +3", "\r\n folded",
                    "\r\nTransfer-Encoding: chunked", "\r\nTransfer-Encoding: gzip, chunked",
                    "\r\nTransfer-Encoding : x",
                    "\r\nTransfer-Encoding: identity", "\r\nContent-Length: 0x10", "\nX: y", "\r\rX: y",
                ]
                bytes.insert(contentsOf: (lines.randomElement(using: &random) ?? "").utf8, at: position)
            }
        }
        return bytes
    }

    /// The bytes cut at random places.
    static func pieces(of bytes: [UInt8], using random: inout SeededGenerator) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        let longest = [1, 7, 64, 4096].randomElement(using: &random) ?? 64
        while !rest.isEmpty {
            let count = min(rest.count, Int.random(in: 1...longest, using: &random))
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    private static func chunked(_ body: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let count = min(rest.count, Int.random(in: 1...60, using: &random))
            let zeros = String(repeating: "0", count: Int.random(in: 0..<3, using: &random))
            let size = String(count, radix: 16, uppercase: Bool.random(using: &random))
            let addition = Int.random(in: 0..<4, using: &random) == 0 ? ";name=value" : ""
            bytes += Array("\(zeros)\(size)\(addition)\r\n".utf8) + rest.prefix(count) + Array("\r\n".utf8)
            rest = rest.dropFirst(count)
        }
        let trailer = Int.random(in: 0..<4, using: &random) == 0 ? "X-Sum: 1\r\n" : ""
        return bytes + Array("0\r\n\(trailer)\r\n".utf8)
    }
}

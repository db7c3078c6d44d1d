// The head of an HTTP/2 response as the rest of the transport knows it: a status, and lines of text.

import GatewayWire
import NIOHPACK

/// What a block of header lines says.
struct MultiplexedResponse {
    let head: HTTPResponseHead
    /// The length of the body; nil if the block has none.
    private(set) var length: Int?
    /// Whether the final head is still to come.
    var isInterim: Bool { head.status < 200 }

    /// Reads a block that has been checked for what HTTP/2 forbids: names in capitals, line ends in values, and the like.
    init(_ headers: HPACKHeaders) throws(HTTPResponseError) {
        var status: Int?
        var lines: [UInt8] = []
        lines.reserveCapacity(512)
        var isEncoded = false
        for (name, value, _) in headers {
            guard name.utf8.first != UInt8(ascii: ":") else {
                if name == ":status", value.utf8.count == 3 { status = Int(value) }
                continue
            }
            switch name.utf8.count {
            case 14 where name == "content-length": try Self.read(value, into: &length)
            case 16 where name == "content-encoding": isEncoded = isEncoded || !(value.isEmpty || value == "identity")
            default: break
            }
            lines.append(text: name)
            lines.append(literal: ": ")
            lines.append(text: value)
            lines.append(literal: "\r\n")
        }
        guard let status, (100...999).contains(status) else { throw .malformed("its status is not a number") }
        head = HTTPResponseHead(status: status, lines: lines, isEncoded: isEncoded)
    }

    private static func read(_ value: String, into length: inout Int?) throws(HTTPResponseError) {
        guard (1...18).contains(value.utf8.count), value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(value)
        else { throw .malformed("its length is not a number") }
        guard length == nil || length == number else { throw .malformed("it has two lengths") }
        length = number
    }
}

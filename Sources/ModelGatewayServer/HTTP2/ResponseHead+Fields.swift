// A response's head as the fields of an HTTP/2 frame.

import GatewayWire
import ModelGateway
import NIOHPACK

extension ResponseHead {
    /// The status and the lines, with names in lower case and without those of a connection (RFC 9113 §8.2).
    func fields(date: DateHeader) -> HPACKHeaders {
        var fields = HPACKHeaders()
        fields.reserveCapacity(headers.count + 4)
        fields.add(name: ":status", value: status == 200 ? "200" : String(status))
        for header in headers where Self.isWritable(header) && !Self.belongsToConnection(header.name) {
            let isLower = header.name.utf8.allSatisfy { !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            fields.add(name: isLower ? header.name : header.name.lowercased(), value: header.value)
        }
        // These differ from answer to answer: in the compressor's table they would only push out what comes again.
        fields.add(name: "x-request-id", value: requestID, indexing: .nonIndexable)
        fields.add(name: "date", value: date.text)
        if case .length(let count) = framing {
            fields.add(name: "content-length", value: String(count), indexing: .nonIndexable)
        }
        return fields
    }

    private static func belongsToConnection(_ name: String) -> Bool {
        switch name.utf8.count {
        case 2: HeaderText.equals(name, "te")
        case 7: HeaderText.equals(name, "upgrade")
        case 16: HeaderText.equals(name, "proxy-connection")
        default: false
        }
    }
}

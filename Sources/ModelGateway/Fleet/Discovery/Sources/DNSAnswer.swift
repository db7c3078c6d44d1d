// Reads the SRV records of a DNS answer (RFC 1035 §4.1, RFC 2782). The bytes come from the network: each read is
// checked.

/// The answer section of a DNS message.
package struct DNSAnswer: Sendable {
    /// Where a service runs.
    package struct Service: Sendable, Hashable {
        /// Lower values come first.
        package var priority: Int
        /// The share among records of the same priority.
        package var weight: Int
        package var port: Int
        /// The host's name, without a trailing dot.
        package var host: String

        /// Creates a record.
        package init(priority: Int, weight: Int, port: Int, host: String) {
            self.priority = priority
            self.weight = weight
            self.port = port
            self.host = host
        }
    }

    /// Why a message cannot be read.
    package struct Malformed: Error, Hashable {
        package var reason: String
    }

    /// The SRV records, in order. Records of other types, such as the CNAME that led there, are skipped; a
    /// record for `.` means that the service is not offered, and is left out.
    package let services: [Service]

    /// Reads a message.
    package init(_ message: [UInt8]) throws(Malformed) {
        var reader = Reader(message: message)
        reader.position = 4
        let questions = try reader.uint16()
        let answers = try reader.uint16()
        reader.position = 12
        for _ in 0..<questions {
            _ = try reader.name()
            try reader.skip(4)
        }
        var services: [Service] = []
        for _ in 0..<answers {
            _ = try reader.name()
            let type = try reader.uint16()
            let recordClass = try reader.uint16()
            try reader.skip(4)
            let length = try reader.uint16()
            let end = reader.position + length
            guard end <= message.count else { throw Malformed(reason: "a record is longer than the message") }
            if type == Self.srv, recordClass == 1 {
                let service = try reader.service()
                guard reader.position == end else { throw Malformed(reason: "an SRV record has another length") }
                if !service.host.isEmpty { services.append(service) }
            }
            reader.position = end
        }
        self.services = services
    }

    private static let srv = 33
}

extension DNSAnswer {
    private struct Reader {
        let message: [UInt8]
        var position = 0

        mutating func uint8() throws(Malformed) -> Int {
            guard position < message.count else { throw Malformed(reason: "the message ends too early") }
            defer { position += 1 }
            return Int(message[position])
        }

        mutating func uint16() throws(Malformed) -> Int {
            let high = try uint8()
            return high << 8 | (try uint8())
        }

        mutating func skip(_ count: Int) throws(Malformed) {
            guard count <= message.count - position else { throw Malformed(reason: "the message ends too early") }
            position += count
        }

        mutating func service() throws(Malformed) -> Service {
            let priority = try uint16()
            let weight = try uint16()
            let port = try uint16()
            return Service(priority: priority, weight: weight, port: port, host: try name())
        }

        /// A decompressed name. Each pointer must point further towards the front, so that there are no cycles.
        mutating func name() throws(Malformed) -> String {
            var text = ""
            var end: Int?
            var start = position
            while true {
                let length = try uint8()
                switch length >> 6 {
                case 0 where length == 0:
                    if let end { position = end }
                    return text
                case 0:
                    guard position + length <= message.count else { throw Malformed(reason: "a name is cut") }
                    if !text.isEmpty { text += "." }
                    text += try Self.label(message[position..<position + length])
                    guard text.utf8.count <= 253 else { throw Malformed(reason: "a name is too long") }
                    position += length
                case 3:
                    let target = (length & 0x3F) << 8 | (try uint8())
                    guard target < start else { throw Malformed(reason: "a name's pointer leads forward") }
                    if end == nil { end = position }
                    start = target
                    position = target
                default: throw Malformed(reason: "a name has a label of unknown kind")
                }
            }
        }

        /// A label of a host name; nothing else can be part of a URL.
        private static func label(_ bytes: ArraySlice<UInt8>) throws(Malformed) -> String {
            let isHost = bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
            guard isHost else { throw Malformed(reason: "a name has characters that host names do not have") }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

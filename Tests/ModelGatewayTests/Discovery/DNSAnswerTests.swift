// DNS answers byte by byte: good ones, and those that were made to harm a reader.

import ModelGateway
import Testing

@Suite struct DNSAnswerTests {
    /// `_llm._tcp.example` asked for SRV, without answers.
    private static let question: [UInt8] =
        [0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0] + name("_llm", "_tcp", "example") + [0, 33, 0, 1]

    private static func name(_ labels: String...) -> [UInt8] {
        labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func record(type: UInt8 = 33, data: [UInt8], owner: [UInt8] = [0xC0, 12]) -> [UInt8] {
        owner + [0, type, 0, 1, 0, 0, 0, 30, UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
    }

    private static func message(_ records: [UInt8]...) -> [UInt8] {
        var message = question
        message[7] = UInt8(records.count)
        return message + records.joined()
    }

    private func services(_ message: [UInt8]) throws -> [DNSAnswer.Service] { try DNSAnswer(message).services }

    @Test func `services are read, with names that point back`() throws {
        let message = Self.message(
            Self.record(data: [0, 10, 0, 60, 0x1F, 0x40] + Self.name("a", "example")),
            // "example" is at 12 + 5 + 5.
            Self.record(data: [0, 20, 0, 0, 0x1F, 0x41, 1, UInt8(ascii: "b"), 0xC0, 22])
        )
        #expect(
            try services(message) == [
                DNSAnswer.Service(priority: 10, weight: 60, port: 8000, host: "a.example"),
                DNSAnswer.Service(priority: 20, weight: 0, port: 8001, host: "b.example"),
            ]
        )
    }

    @Test func `other records are passed over, and a service that is not offered is none`() throws {
        let message = Self.message(
            Self.record(type: 5, data: Self.name("alias", "example")),
            Self.record(data: [0, 0, 0, 0, 0, 0, 0])
        )
        #expect(try services(message) == [])
        #expect(try services(Self.question) == [])
    }

    @Test func `a message that is cut anywhere is an error and nothing worse`() {
        let whole = Self.message(Self.record(data: [0, 10, 0, 60, 0x1F, 0x40] + Self.name("a", "example")))
        for length in 0..<whole.count {
            #expect(throws: DNSAnswer.Malformed.self, "\(length) bytes") { try services(Array(whole[..<length])) }
        }
    }

    @Test(
        arguments: [
            // A pointer to itself, one forward, a circle of two, a label of unknown kind, a host with a slash.
            record(data: [0, 0, 0, 0, 0, 80, 0xC0, 53]),
            record(data: [0, 0, 0, 0, 0, 80, 0xC0, 0xFF]),
            record(data: [0, 0, 0, 0, 0, 80, 1, UInt8(ascii: "a"), 0xC0, 53]),
            record(data: [0, 0, 0, 0, 0, 80, 0x40, 0]),
            record(data: [0, 0, 0, 0, 0, 80] + name("a/b")),
            // The record says that it is longer, or shorter, than its data.
            [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 30, 0xFF, 0xFF, 0, 0, 0, 0, 0, 80, 0],
            [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 30, 0, 3, 0, 0, 0, 0, 0, 80, 0],
        ] as [[UInt8]]
    )
    func `a malformed record is an error`(_ record: [UInt8]) {
        #expect(throws: DNSAnswer.Malformed.self) { try services(Self.message(record)) }
    }

    @Test func `no random bytes do harm`() {
        var state: UInt64 = 42
        for _ in 0..<20_000 {
            var message = Self.message(Self.record(data: [0, 1, 0, 1, 0, 80] + Self.name("host", "example")))
            for _ in 0..<4 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                message[Int(state >> 33) % message.count] = UInt8(truncatingIfNeeded: state >> 25)
            }
            if let services = try? services(message) {
                #expect(services.allSatisfy { !$0.host.isEmpty && $0.host.utf8.count <= 253 })
            }
        }
    }
}

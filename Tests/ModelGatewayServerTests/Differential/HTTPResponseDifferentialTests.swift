// The library's reader of HTTP responses beside NIO's: what both read they read alike, whatever the bytes.

import GatewayWire
import Testing

@Suite("HTTP responses, read by this library and by NIO")
struct HTTPResponseDifferentialTests {
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `Well-formed responses are read alike, in any pieces`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<150 {
            let response = ResponseText.random(using: &random)
            let pieces = ResponseText.pieces(of: response, using: &random)
            let ours = try #require(ResponseReading(here: pieces), "\(shown(response))")
            let theirs = try #require(ResponseReading(byNIO: pieces), "\(shown(response))")
            #expect(ours == theirs, "\(shown(response))")
            #expect(ours.isComplete, "\(shown(response))")
        }
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `Of broken responses, none is read as something else than NIO reads`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let response = ResponseText.broken(using: &random)
            let pieces = ResponseText.pieces(of: response, using: &random)
            // Either may refuse what the other one reads; both may not read two different things.
            guard let ours = ResponseReading(here: pieces), let theirs = ResponseReading(byNIO: pieces) else {
                continue
            }
            #expect(ours == theirs || !ours.isComplete || !theirs.isComplete, "\(shown(response))")
        }
    }

    private func shown(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
}

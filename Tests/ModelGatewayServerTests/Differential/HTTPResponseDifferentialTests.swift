// The library's reader of HTTP responses beside NIO's: both read the same out of the same bytes, except where a table
// says why not.

import GatewayWire
import Testing

@Suite("HTTP responses, read by this library and by NIO")
struct HTTPResponseDifferentialTests {
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `Well-formed responses are read alike, in any pieces`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<150 {
            let response = ResponseText.random(using: &random)
            let pieces = ResponseText.pieces(of: response, using: &random)
            let ours = ResponseVerdict(here: pieces)
            #expect(ours == ResponseVerdict(byNIO: pieces), "\(shown(response))")
            guard case .read = ours else {
                Issue.record("not read: \(shown(response))")
                continue
            }
        }
    }

    @Test(arguments: ResponseDifference.all)
    func `Each known difference is there`(difference: ResponseDifference) {
        for example in difference.examples {
            let pieces = [Array(example.utf8)]
            let verdicts = (ResponseVerdict(here: pieces), ResponseVerdict(byNIO: pieces))
            #expect(difference.explains(verdicts.0, verdicts.1), "\(example.debugDescription): \(verdicts)")
        }
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `Broken responses are read alike, but for the known differences`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let response = ResponseText.broken(using: &random)
            let pieces = ResponseText.pieces(of: response, using: &random)
            let (ours, theirs) = (ResponseVerdict(here: pieces), ResponseVerdict(byNIO: pieces))
            if ResponseDifference.areAlike(ours, theirs) { continue }
            let isKnown = ResponseDifference.all.contains { $0.explains(ours, theirs) }
            #expect(isKnown, "\(shown(response)): here \(ours), by NIO \(theirs)")
        }
    }

    private func shown(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
}

extension ResponseDifference: CustomTestStringConvertible {
    var testDescription: String { "\(kind)" }
}

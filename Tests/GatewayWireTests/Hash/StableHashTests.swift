// The hash against published XXH64 values, and the seeded generator against published SplitMix64 values.

import GatewayWire
import Testing

@Suite("Stable hash")
struct StableHashTests {
    @Test(
        arguments: [
            ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
            ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
        ] as [(String, UInt64)]
    )
    func `Texts have their reference hashes`(text: String, expected: UInt64) {
        #expect(StableHash.hash(text) == expected)
    }

    /// The self-test of the reference program `xxhsum`: lengths 0, 1, 14 and 101 of a generated buffer, with two seeds.
    @Test(
        arguments: [
            (0, 0, 0xEF46_DB37_51D8_E999), (0, 2_654_435_761, 0xAC75_FDA2_929B_17EF),
            (1, 0, 0x4FCE_394C_C889_52D8), (1, 2_654_435_761, 0x7398_40CB_819F_A723),
            (14, 0, 0xCFFA_8DB8_81BC_3A3D), (14, 2_654_435_761, 0x5B96_1158_5EFC_C9CB),
            (101, 0, 0x0EAB_5433_84F8_78AD), (101, 2_654_435_761, 0xCAA6_5939_306F_1E21),
        ] as [(Int, UInt64, UInt64)]
    )
    func `The reference buffer has its hashes`(count: Int, seed: UInt64, expected: UInt64) {
        var state: UInt32 = 2_654_435_761
        let bytes = (0..<count).map { _ -> UInt8 in
            defer { state &*= state }
            return UInt8(truncatingIfNeeded: state >> 24)
        }
        #expect(StableHash.hash(bytes, seed: seed) == expected)
        // The same at an odd address.
        let shifted = [0] + bytes
        #expect(shifted.withBytes { StableHash.hash($0.clamped(to: 1..<count + 1), seed: seed) } == expected)
    }

    /// From the reference implementation's `vectors.h`: key 00…0f, input 00…07.
    @Test func `SipHash-2-4 gives its reference value`() {
        let key = SipKey(0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908)
        #expect(key.hash(0x0706_0504_0302_0100) == 0x93F5_F579_9A93_2462)
    }

    @Test func `The generator's sequence is fixed by its seed`() {
        var generator = SeededGenerator(seed: 1_234_567)
        let values = (0..<5).map { _ in generator.next() }
        #expect(
            values == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ]
        )
    }
}

// Base 64 against the RFC's vectors and Foundation.

import Foundation
import GatewayWire
import Testing

@Suite("Base 64")
struct Base64Tests {
    private func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        bytes.withBytes { Base64.encode($0, to: &output) }
        return String(decoding: output, as: UTF8.self)
    }

    private func decode(_ text: String) -> [UInt8]? {
        Array(text.utf8).withBytes { Base64.decode($0) }
    }

    @Test(
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func `The vectors of RFC 4648 hold`(plain: String, encoded: String) {
        #expect(encode(Array(plain.utf8)) == encoded)
        #expect(decode(encoded) == Array(plain.utf8))
        #expect(decode(encoded.filter { $0 != "=" }) == Array(plain.utf8))
    }

    @Test func `Random bytes are encoded as Foundation does`() {
        var generator = SeededGenerator(seed: 12)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(encode(bytes) == Data(bytes).base64EncodedString())
            #expect(decode(encode(bytes)) == bytes)
        }
    }

    @Test(
        arguments: [
            "A", "AAAAA", "A===", "=", "==", "====", "Zg=", "Z g=", "Zm9v\n", "Zg-_", "Zh==", "Zg==Zg==", "é===",
        ]
    )
    func `What is not base 64 is refused`(text: String) {
        #expect(decode(text) == nil)
    }

    @Test func `Floats are little-endian and survive exactly`() {
        let floats: [Float] = [0, 1, -1.5, .pi, .infinity, .leastNonzeroMagnitude]
        var output: [UInt8] = []
        Base64.encode(floats: floats, to: &output)
        #expect(String(decoding: output.prefix(8), as: UTF8.self) == "AAAAAAAA")
        #expect(output.withBytes { Base64.decodeFloats($0) } == floats)
        output.removeAll()
        Base64.encode(floats: [1], to: &output)
        #expect(String(decoding: output, as: UTF8.self) == "AACAPw==")
        #expect(Array("AACA".utf8).withBytes { Base64.decodeFloats($0) } == nil)
    }
}

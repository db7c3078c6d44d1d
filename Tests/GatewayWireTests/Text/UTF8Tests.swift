// Cutting UTF-8.

import GatewayWire
import Testing

@Suite("UTF-8")
struct UTF8Tests {
    @Test func `A cut never splits a character and never loses more than one`() {
        let bytes = Array("aé日😀".utf8)
        let expected = [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10]
        for (limit, count) in expected.enumerated() {
            #expect(bytes.withBytes { UTF8Boundary.prefixCount(of: $0, limit: limit) } == count)
        }
        #expect(bytes.withBytes { UTF8Boundary.prefixCount(of: $0, limit: -1) } == 0)
        let bad: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80]
        for limit in 0...6 { #expect(bad.withBytes { UTF8Boundary.prefixCount(of: $0, limit: limit) } == limit) }
    }
}

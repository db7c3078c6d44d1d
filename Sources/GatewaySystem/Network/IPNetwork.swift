// A range of IP addresses that have their first bits in common.

/// A network in CIDR notation (RFC 4632), such as `10.0.0.0/8`; an address alone is a network of one.
package struct IPNetwork: Sendable, Hashable {
    private let address: IPAddress
    /// How many of the first bits are in common.
    package let bits: Int

    /// Reads a network; nil if the text is none.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        var bits = address.isV4 ? 32 : 128
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(parts[1]), number <= bits
            else { return nil }
            bits = number
        }
        self.address = address
        self.bits = bits
    }

    /// Whether an address is in it.
    package func contains(_ other: IPAddress) -> Bool {
        guard other.isV4 == address.isV4 else { return false }
        if address.isV4 { return (other.low ^ address.low) >> (32 - UInt64(bits)) == 0 }
        let differs = (other.high ^ address.high, other.low ^ address.low)
        if bits <= 64 { return differs.0 >> (64 - UInt64(bits)) == 0 }
        return differs.0 == 0 && differs.1 >> (128 - UInt64(bits)) == 0
    }
}

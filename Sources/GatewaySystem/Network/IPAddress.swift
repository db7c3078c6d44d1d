// An IP address as a number, and as text.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An address of IPv4 or IPv6. One of IPv4 that is written as one of IPv6 (`::ffff:192.0.2.1`) is one of IPv4.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// Whether it is one of IPv4.
    package let isV4: Bool
    /// The first half of an IPv6 address; 0 for IPv4.
    package let high: UInt64
    /// The second half of an IPv6 address, or the whole of an IPv4 address.
    package let low: UInt64

    package init(v4 number: UInt32) {
        (isV4, high, low) = (true, 0, UInt64(number))
    }

    package init(high: UInt64, low: UInt64) {
        isV4 = high == 0 && low >> 32 == 0xFFFF
        (self.high, self.low) = (high, isV4 ? low & 0xFFFF_FFFF : low)
    }

    /// The address of 4 or 16 bytes; nil for any other number of them.
    package init?(_ bytes: some Collection<UInt8>) {
        func number(_ bytes: some Collection<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: self.init(v4: UInt32(truncatingIfNeeded: number(bytes)))
        case 16: self.init(high: number(bytes.prefix(8)), low: number(bytes.dropFirst(8)))
        default: return nil
        }
    }

    /// Reads an address, without a port. IPv6 may have brackets around it and a zone behind it, which says nothing here.
    package init?(_ text: some StringProtocol) {
        var text = Substring(text)
        if text.hasPrefix("["), text.hasSuffix("]") { text = text.dropFirst().dropLast() }
        let plain = String(text.prefix { $0 != "%" })
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, plain, &bytes) == 1 {
            self.init(bytes.prefix(4))
        } else if inet_pton(AF_INET6, plain, &bytes) == 1 {
            self.init(bytes)
        } else {
            return nil
        }
    }

    /// Its bytes, in the order of the network.
    package var bytes: [UInt8] {
        func bytes(_ number: UInt64, _ count: UInt64) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * (count - 1 - $0))) }
        }
        return isV4 ? bytes(low, 4) : bytes(high, 8) + bytes(low, 8)
    }

    package var description: String {
        if isV4 { return bytes.map { "\($0)" }.joined(separator: ".") }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether only programs on this machine have it.
    package var isLoopback: Bool { isV4 ? low >> 24 == 127 : high == 0 && low == 1 }
}

// The hosts that are called without a proxy, as `no_proxy` lists them and libcurl understands it.

import GatewaySystem

/// The entries of `no_proxy`.
package struct ProxyExceptions: Sendable, Hashable {
    private let isEverything: Bool
    private let entries: [Substring]

    /// - Parameter list: Names, addresses and networks with commas or blanks between them, or a single `*` for all hosts.
    package init(_ list: String) {
        isEverything = list == "*"
        entries = list.split { $0 == "," || $0 == " " || $0 == "\t" }
    }

    /// Whether a host is called without a proxy: it is listed, or is under a name that is. An address has to be listed
    /// itself, or be in a network that is.
    /// - Parameter host: Its name or address; that of IPv6 without brackets.
    package func contain(_ host: String) -> Bool {
        if isEverything { return true }
        if let address = IPAddress(host) { return entries.contains { Self.matches(address, $0) } }
        let name = host.hasSuffix(".") ? host.dropLast() : host[...]
        return entries.contains { Self.matches(name, $0) }
    }

    private static func matches(_ address: IPAddress, _ entry: Substring) -> Bool {
        guard let network = IPNetwork(entry) else { return false }
        // libcurl takes an address with `/0` for the address alone.
        return network.bits > 0 ? network.contains(address) : IPAddress(entry.prefix { $0 != "/" }) == address
    }

    /// `example.com`, `.example.com` and `example.com.` are the same, and stand for what is under that name, too.
    private static func matches(_ name: Substring, _ entry: Substring) -> Bool {
        var entry = entry
        if entry.hasSuffix(".") { entry = entry.dropLast() }
        if entry.hasPrefix(".") { entry = entry.dropFirst() }
        let (name, under) = (name.lowercased(), entry.lowercased())
        guard !under.isEmpty else { return false }
        return name == under || name.hasSuffix(".\(under)")
    }
}

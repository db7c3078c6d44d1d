// The host names under which the control plane answers, so that no web page can reach it under a name of its own.

import GatewayWire
import ModelGateway

/// Names that nobody else can point at this machine, and addresses, which nobody can point anywhere.
///
/// A browser keeps the pages of one name away from another's answers, but whoever owns a name may give it any address
/// (DNS rebinding). The name is then still the page's, and is seen in `Host` and `Origin`.
struct TrustedHosts: Sendable {
    private let names: [String]

    init(_ options: ServerOptions) {
        names = ["localhost", options.host] + options.allowedHosts
    }

    /// Whether a `Host` may be answered. One that is missing may: every browser sends it.
    func trust(_ host: String?) -> Bool {
        guard let host else { return true }
        let name = HTTPAuthority(host[...]).host
        return Self.isAddress(name) || names.contains { HeaderText.equals(String(name), $0) }
    }

    /// Whether an `Origin` is that of a page which came from here, or from a host that was named as allowed.
    func trust(origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        guard let authority = try? AbsoluteURL(origin).authority else { return false }
        if let host, HeaderText.equals(String(authority.text), host) { return true }
        let name = String(authority.host)
        return names.dropFirst(2).contains { HeaderText.equals(name, $0) }
    }

    /// Whether it is an address and no name: a name never ends in digits only (RFC 3696 §2).
    private static func isAddress(_ name: Substring) -> Bool {
        if name.utf8.first == UInt8(ascii: "[") { return name.utf8.last == UInt8(ascii: "]") }
        return !name.isEmpty && name.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    }
}

// A proxy: what it speaks, where it is, and who may use it.

import GatewayWire

/// A proxy as its URL has it.
package struct ProxyServer: Sendable, Hashable {
    /// What a proxy speaks.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// HTTP, in the clear up to the proxy.
        case http
        /// HTTP over TLS.
        case https
        /// SOCKS 4, with names resolved here.
        case socks4
        /// SOCKS 4 with names resolved by the proxy.
        case socks4a
        /// SOCKS 5 (RFC 1928) with names resolved here.
        case socks5
        /// SOCKS 5 with names resolved by the proxy.
        case socks5h
    }

    package let kind: Kind
    /// The name or address of its host; that of IPv6 without its brackets.
    package let host: String
    package let port: Int
    /// Nil: it asks for no credentials.
    package let user: String?
    package let password: Secret?

    /// Reads a URL as libcurl does: without a scheme it is one of HTTP, without a port it is 1080, or 443 for `https`.
    /// - Returns: Nil if it is not the URL of a proxy.
    package init?(_ text: String) {
        let text = text.contains("://") ? text : "http://\(text)"
        guard let url = try? AbsoluteURL(text),
            let kind = Kind(rawValue: url.scheme == "socks" ? "socks4" : url.scheme)
        else { return nil }
        self.kind = kind
        host = String(url.authority.name)
        port = url.authority.port ?? (kind == .https ? 443 : 1080)
        let parts = url.userInfo?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false) ?? []
        user = parts.first.map { PercentEncoding.decode($0) }
        password = parts.isEmpty ? nil : Secret(parts.count > 1 ? PercentEncoding.decode(parts[1]) : "")
    }

    /// The value of `proxy-authorization` (RFC 7617), if there are credentials. A secret.
    package var authorization: String? {
        guard let user else { return nil }
        var value = Array("Basic ".utf8)
        Array("\(user):\(password?.reveal() ?? "")".utf8).withUnsafeBytes { Base64.encode($0, to: &value) }
        return String(decoding: value, as: UTF8.self)
    }
}

// Where a request goes: host and port out of a URL, and the way there.

import GatewaySystem
import GatewayWire
import ModelGateway

/// The host and port of an engine, how requests name them, and how it is reached.
struct UpstreamAddress: Hashable {
    /// How connections are led to it.
    enum Route: Hashable {
        case direct
        /// By the Unix domain socket of this path.
        case socket(String)
        case proxy(ProxyServer)
    }

    /// Whether it is spoken to over TLS.
    let isSecure: Bool
    let host: String
    let port: Int
    /// Host and port as the URL has them, for the `host` line.
    let authority: String
    let route: Route

    /// Splits a URL.
    /// - Returns: The address and the request target; nil for a URL with user info, and for one that goes through a proxy
    ///   which only libcurl can use.
    /// - Throws: ``GatewayError/Code/invalidRequest`` if it is not a valid URL.
    static func parse(
        _ text: String,
        proxies: ProxyRules
    ) throws(GatewayError) -> (address: UpstreamAddress, target: String)? {
        let invalid = GatewayError(.invalidRequest, "The provider's URL is not a valid http or https URL.")
        guard let url = try? AbsoluteURL(text), url.isHTTP || url.socketPath != nil else { throw invalid }
        if url.userInfo != nil { return nil }
        switch proxies.way(to: url) {
        case .direct: return (UpstreamAddress(url, by: url.socketPath.map { .socket($0) } ?? .direct), url.target)
        case .unclear: return nil
        case .through(let proxy):
            let address = UpstreamAddress(url, by: .proxy(proxy))
            guard address.isSupported(proxy) else { return nil }
            // A proxy of HTTP is asked for what lies at a URL in the clear.
            let isAsked = proxy.kind == .http && !address.isSecure
            return (address, isAsked ? "http://\(address.authority)\(url.target)" : url.target)
        }
    }

    private init(_ url: AbsoluteURL, by route: Route) {
        isSecure = url.scheme == "https"
        self.route = route
        if case .socket = route {
            (host, port, authority) = ("localhost", 80, "localhost")
        } else {
            host = String(url.authority.name)
            port = url.port
            authority = String(url.authority.text)
        }
    }

    /// Whether this transport can use a proxy itself.
    private func isSupported(_ proxy: ProxyServer) -> Bool {
        switch proxy.kind {
        case .http, .socks5h: true
        // It is given addresses, never names.
        case .socks5: IPAddress(host) != nil
        case .https, .socks4, .socks4a: false
        }
    }

    /// The proxy on the way.
    var proxy: ProxyServer? {
        if case .proxy(let proxy) = route { proxy } else { nil }
    }

    /// The credentials that each request must show to a proxy, because the proxy reads it.
    var proxyAuthorization: String? {
        guard let proxy, proxy.kind == .http, !isSecure else { return nil }
        return proxy.authorization
    }
}

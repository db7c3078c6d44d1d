// Which proxy a request goes through: the one that the settings name, or that of the environment, unless `no_proxy` says otherwise.

import GatewaySystem
package import GatewayWire

/// The proxies of a transport, by the rules of libcurl.
package struct ProxyRules: Sendable, Hashable {
    /// How a host is reached.
    package enum Way: Sendable, Hashable {
        case direct
        case through(ProxyServer)
        /// There is to be a proxy, and what should be its URL is none.
        case unclear
    }

    private let plain: Way
    private let secure: Way
    private let exceptions: ProxyExceptions

    /// No proxy for anything.
    package static let none = ProxyRules(CurlTransport.Proxy.none) { _ in nil }

    /// - Parameters:
    ///   - proxy: What the settings say.
    ///   - environment: The value of a variable.
    package init(
        _ proxy: CurlTransport.Proxy,
        environment: (String) -> String? = { ProcessEnvironment.nonempty($0) }
    ) {
        func value(_ names: [String]) -> String? {
            for name in names { if let value = environment(name), !value.isEmpty { return value } }
            return nil
        }
        if let url = proxy.url {
            plain = Self.way(url)
            secure = plain
        } else {
            // HTTP_PROXY in capitals can be set by a client where CGI is in use.
            plain = Self.way(value(["http_proxy", "all_proxy", "ALL_PROXY"]))
            secure = Self.way(value(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]))
        }
        // It holds for a proxy of the settings, too.
        exceptions = ProxyExceptions(plain == secure && plain == .direct ? "" : value(["no_proxy", "NO_PROXY"]) ?? "")
    }

    /// How a URL's host is reached.
    package func way(to url: AbsoluteURL) -> Way {
        let way = url.scheme == "https" ? secure : plain
        guard way != .direct, url.isHTTP else { return .direct }
        return exceptions.contain(String(url.authority.name)) ? .direct : way
    }

    private static func way(_ url: String?) -> Way {
        guard let url, !url.isEmpty else { return .direct }
        return ProxyServer(url).map { .through($0) } ?? .unclear
    }
}

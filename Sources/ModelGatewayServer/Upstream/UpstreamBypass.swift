// Which URLs the event-loop transport leaves to the other one: those behind a proxy, and those of other schemes.

package import ModelGateway

/// What is not sent from the event loop.
package struct UpstreamBypass: Sendable {
    private let leavesPlain: Bool
    private let leavesSecure: Bool

    /// Leaves nothing that the transport can send itself.
    package init() {
        leavesPlain = false
        leavesSecure = false
    }

    /// - Parameters:
    ///   - proxy: How the transport goes out.
    ///   - http2: Whether HTTP/2 is wanted for secure connections.
    ///   - isSet: Whether a variable of the environment has a value.
    package init(_ proxy: CurlTransport.Proxy, http2: Bool, environment isSet: (String) -> Bool) {
        let isFromEnvironment = proxy == .environment
        let isProxied = !isFromEnvironment && proxy != .none
        // As libcurl reads them; HTTP_PROXY in capitals can be set by a client where CGI is in use.
        let all = isFromEnvironment && ["all_proxy", "ALL_PROXY"].contains(where: isSet)
        leavesPlain = isProxied || all || isFromEnvironment && isSet("http_proxy")
        leavesSecure =
            isProxied || all || http2 || isFromEnvironment && ["https_proxy", "HTTPS_PROXY"].contains(where: isSet)
    }

    /// Whether a URL is one for the event loop.
    func admits(_ url: String) -> Bool {
        if Self.isSecure(url) { return !leavesSecure }
        return !leavesPlain && url.utf8.starts(with: "http://".utf8)
    }

    static func isSecure(_ url: String) -> Bool { url.utf8.starts(with: "https://".utf8) }
}

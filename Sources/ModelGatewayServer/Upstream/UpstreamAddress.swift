// Where a request goes: host and port out of an http or https URL.

import GatewayWire
import ModelGateway

/// The host and port of an engine, and how requests name them.
struct UpstreamAddress: Hashable {
    /// Whether it is spoken to over TLS.
    let isSecure: Bool
    let host: String
    let port: Int
    /// Host and port as the URL has them, for the `host` line.
    let authority: String

    /// Splits an `http://` or `https://` URL.
    /// - Returns: The address and the request target; nil for a URL with user info.
    /// - Throws: ``GatewayError/Code/invalidRequest`` if it is not a valid URL.
    static func parse(_ url: String) throws(GatewayError) -> (address: UpstreamAddress, target: String)? {
        let invalid = GatewayError(.invalidRequest, "The provider's URL is not a valid http or https URL.")
        guard let url = try? AbsoluteURL(url), url.isHTTP else { throw invalid }
        if url.userInfo != nil { return nil }
        return (UpstreamAddress(url), url.target)
    }

    private init(_ url: AbsoluteURL) {
        isSecure = url.scheme == "https"
        host = String(url.authority.name)
        port = url.port
        authority = String(url.authority.text)
    }
}

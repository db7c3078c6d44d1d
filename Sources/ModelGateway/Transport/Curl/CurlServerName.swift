// A request that asks for its server by a name other than its URL's host. libcurl takes the name only from the URL, so
// the name goes into the URL, and the connection is directed to the host.

import GatewayWire

/// What libcurl is given instead of just the URL.
struct CurlServerName {
    /// The URL with the name in place of the host.
    let url: String
    /// Where connections for that URL go (`CURLOPT_CONNECT_TO`).
    let connectTo: String
    /// Host and port as the URL had them, for the `host` line.
    let authority: String

    /// - Returns: Nil if the URL's scheme is not https.
    init?(_ name: String, for url: String) {
        guard let parts = try? AbsoluteURL(url), parts.scheme == "https" else { return nil }
        let host = parts.authority.name.contains(":") ? "[\(parts.authority.name)]" : String(parts.authority.name)
        self.url = "https://\(name):\(parts.port)\(parts.target)"
        connectTo = "\(name):\(parts.port):\(host):\(parts.port)"
        authority = String(parts.authority.text)
    }
}

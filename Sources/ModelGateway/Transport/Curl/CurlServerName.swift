// A request whose server is asked for by a name that is not its URL's host. libcurl takes the name from the URL only, so the
// URL gets the name, and the connection is led to the host.

import GatewayWire

/// What libcurl is told instead of the URL alone.
struct CurlServerName {
    /// The URL with the name in place of the host.
    let url: String
    /// Where connections for that URL go (`CURLOPT_CONNECT_TO`).
    let connectTo: String
    /// Host and port as the URL had them, for the `host` line.
    let authority: String

    /// - Returns: Nil if the URL is not one of https.
    init?(_ name: String, for url: String) {
        guard let parts = try? AbsoluteURL(url), parts.scheme == "https" else { return nil }
        let host = parts.authority.name.contains(":") ? "[\(parts.authority.name)]" : String(parts.authority.name)
        self.url = "https://\(name):\(parts.port)\(parts.target)"
        connectTo = "\(name):\(parts.port):\(host):\(parts.port)"
        authority = String(parts.authority.text)
    }
}

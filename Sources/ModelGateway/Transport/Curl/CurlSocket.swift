// A request to a Unix domain socket, which libcurl wants apart from the URL.

import GatewayWire

/// What libcurl is told instead of a URL of the scheme `http+unix`.
struct CurlSocket {
    let url: String
    /// The file of the socket (`CURLOPT_UNIX_SOCKET_PATH`).
    let path: String

    /// - Returns: Nil if the URL does not lead to a socket.
    init?(for url: String) {
        guard url.startsIgnoringCase(with: "http+unix:"), let parts = try? AbsoluteURL(url),
            let path = parts.socketPath
        else { return nil }
        self.url = "http://localhost\(parts.target)"
        self.path = path
    }
}

// The address of a provider's API, checked once.

import GatewayWire

/// An absolute `http` or `https` address that endpoint paths are appended to, or a Unix domain socket: `unix:///run/a.sock`,
/// or `http+unix://%2Frun%2Fa.sock/v1` to say the path of the API as well.
package struct BaseURL: Sendable, Hashable, CustomStringConvertible {
    /// `http`, `https` or `http+unix`.
    package let scheme: String
    /// Host and, if given, port; of a socket its path, percent-encoded.
    package let authority: String
    /// The path without a trailing slash; empty for the root.
    package let path: String

    /// Checks an address.
    /// - Throws: ``GatewayError/Code/configuration`` if it is not an absolute http(s) address, or if it carries
    ///   credentials, a query or a fragment.
    package init(_ text: String) throws(GatewayError) {
        func mistake(_ reason: String) -> GatewayError {
            GatewayError(.configuration, "The base URL \(reason); write it like http://127.0.0.1:8000/v1.")
        }
        let url: AbsoluteURL
        do {
            url = try AbsoluteURL(AbsoluteURL.spelledOut(text))
        } catch {
            throw switch error {
            case .noScheme: mistake("'\(text.prefix(80))' has no scheme")
            case .authority: mistake("has no valid host or socket, or no valid port")
            case .byte: mistake("must not have white space, or letters that are not ASCII")
            }
        }
        guard url.isHTTP || url.socketPath != nil else {
            throw mistake("must begin with http://, https:// or unix:///")
        }
        guard url.userInfo == nil else { throw mistake("must not carry credentials; use the API key setting") }
        guard url.query == nil, url.fragment == nil else { throw mistake("must have neither a query nor a fragment") }
        var path = url.path
        while path.last == "/" { path.removeLast() }
        self.init(scheme: url.scheme, authority: String(url.authority.text), path: String(path))
    }

    private init(scheme: String, authority: String, path: String) {
        self.scheme = scheme
        self.authority = authority
        self.path = path
    }

    /// Whether it is a Unix domain socket.
    var isSocket: Bool { scheme == AbsoluteURL.socketScheme }

    /// The name or address of the host; that of IPv6 without its brackets. The path of a socket.
    package var host: String {
        let name = HTTPAuthority(authority[...]).name
        return isSocket ? PercentEncoding.decode(name) : String(name)
    }

    /// The port, or the usual one of the scheme.
    package var port: Int { HTTPAuthority(authority[...]).port ?? (scheme == "https" ? 443 : 80) }

    package var description: String { "\(scheme)://\(authority)\(path)" }

    /// The same address, with `/v1` for a path if it has none.
    package var withDefaultPath: BaseURL {
        path.isEmpty ? BaseURL(scheme: scheme, authority: authority, path: "/v1") : self
    }

    /// The same address with `/v1` behind its path, unless it ends so already.
    var appendingVersion: BaseURL {
        path.hasSuffix("/v1") ? self : BaseURL(scheme: scheme, authority: authority, path: path + "/v1")
    }

    /// The address of an endpoint.
    /// - Parameter endpoint: The rest of the path, beginning with a slash.
    package func appending(_ endpoint: String) -> String { "\(scheme)://\(authority)\(path)\(endpoint)" }
}

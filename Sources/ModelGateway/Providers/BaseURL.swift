// The address of a provider's API, checked once.

/// An absolute `http` or `https` address that endpoint paths are appended to.
package struct BaseURL: Sendable, Hashable, CustomStringConvertible {
    /// `http` or `https`.
    package let scheme: String
    /// Host and, if given, port.
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
        guard let separator = text.utf8Range(of: "://") else { throw mistake("'\(text.prefix(80))' has no scheme") }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { throw mistake("must begin with http:// or https://") }
        let rest = text[separator.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        var path = rest[slash...]
        guard !authority.contains("@") else { throw mistake("must not carry credentials; use the API key setting") }
        guard !authority.isEmpty, authority.utf8.allSatisfy(Self.isAuthorityByte) else {
            throw mistake("has no valid host")
        }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        else { throw mistake("must have neither a query, a fragment nor white space") }
        while path.last == "/" { path.removeLast() }
        self.scheme = scheme
        self.authority = String(authority)
        self.path = String(path)
    }

    private init(scheme: String, authority: String, path: String) {
        self.scheme = scheme
        self.authority = authority
        self.path = path
    }

    private static func isAuthorityByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "%"):
            true
        default: false
        }
    }

    package var description: String { "\(scheme)://\(authority)\(path)" }

    /// The same host without a path, where servers have their health and metrics endpoints.
    package var root: BaseURL { BaseURL(scheme: scheme, authority: authority, path: "") }

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

extension BaseURL {
    /// The name or address of the host; that of IPv6 without its brackets.
    var host: String {
        let name = authority[..<(portSeparator ?? authority.endIndex)]
        return name.hasPrefix("[") && name.hasSuffix("]") ? String(name.dropFirst().dropLast()) : String(name)
    }

    /// The port, by default that of the scheme.
    var port: Int {
        portSeparator.flatMap { Int(authority[authority.index(after: $0)...]) } ?? (scheme == "https" ? 443 : 80)
    }

    /// The colon before the port. Those of an IPv6 address have a bracket behind them.
    private var portSeparator: String.Index? {
        authority.lastIndex(of: ":").flatMap { authority[$0...].contains("]") ? nil : $0 }
    }
}

extension String {
    fileprivate func utf8Range(of needle: String) -> Range<Index>? {
        guard let first = needle.utf8.first else { return nil }
        var start = utf8.startIndex
        while let found = utf8[start...].firstIndex(of: first) {
            let tail = utf8[found...].prefix(needle.utf8.count)
            if tail.elementsEqual(needle.utf8) { return found..<tail.endIndex }
            start = utf8.index(after: found)
        }
        return nil
    }
}

// The one place where a URL is taken apart (RFC 3986 §3).

/// An absolute URL in its parts, as they are written: nothing is decoded, changed or left out.
package struct AbsoluteURL: Sendable, Hashable {
    /// Why a text is not such a URL.
    package enum Mistake: Error, Sendable, Hashable {
        /// There is no `://` behind a scheme.
        case noScheme
        /// The host is missing or has bytes that hosts do not have, or the port is not from 1 to 65535.
        case authority
        /// There is white space, a control character or a byte that is not ASCII.
        case byte
    }

    /// The scheme in lower case.
    package let scheme: String
    /// What stands before an `@` in front of the host.
    package let userInfo: Substring?
    /// Host and port, which are valid.
    package let authority: HTTPAuthority
    /// The path, with the slash at its beginning; empty if there is none.
    package let path: Substring
    /// What is behind the question mark, if there is one.
    package let query: Substring?
    /// What is behind the number sign, if there is one.
    package let fragment: Substring?

    /// Takes a URL apart.
    package init(_ text: some StringProtocol) throws(Mistake) {
        let text = Substring(text)
        let utf8 = text.utf8
        guard let colon = utf8.firstIndex(of: UInt8(ascii: ":")), Self.isScheme(utf8[..<colon]),
            utf8[colon...].starts(with: "://".utf8)
        else { throw .noScheme }
        guard utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .byte }
        scheme = text[..<colon].lowercased()
        var rest = utf8[colon...].dropFirst(3)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        var place = rest[..<(end ?? rest.endIndex)]
        rest = rest[place.endIndex...]
        let at = place.lastIndex(of: UInt8(ascii: "@"))
        userInfo = at.map { Substring(place[..<$0]) }
        if let at { place = place[place.index(after: at)...] }
        authority = HTTPAuthority(Substring(place))
        guard scheme == Self.socketScheme ? Self.isSocket(authority) : authority.isValid else { throw .authority }
        let sign = rest.firstIndex(of: UInt8(ascii: "#"))
        fragment = sign.map { Substring(rest[rest.index(after: $0)...]) }
        rest = rest[..<(sign ?? rest.endIndex)]
        let mark = rest.firstIndex(of: UInt8(ascii: "?"))
        query = mark.map { Substring(rest[rest.index(after: $0)...]) }
        path = Substring(rest[..<(mark ?? rest.endIndex)])
    }

    /// Whether it leads to an HTTP server on the network, encrypted or not.
    package var isHTTP: Bool { scheme == "http" || scheme == "https" }

    /// The path of the Unix domain socket of an HTTP server: the host of `http+unix://%2Frun%2Fengine.sock/v1`.
    package var socketPath: String? {
        scheme == Self.socketScheme ? PercentEncoding.decode(authority.host) : nil
    }

    /// The scheme of HTTP servers on Unix domain sockets. Their path is the host, percent-encoded.
    package static let socketScheme = "http+unix"

    /// The port, or the usual one of the scheme.
    package var port: Int { authority.port ?? (scheme == "https" ? 443 : 80) }

    /// What a request asks for: the path, at least a slash, and the query.
    package var target: String {
        (path.isEmpty ? "/" : String(path)) + (query.map { "?" + $0 } ?? "")
    }

    /// A URL as it is understood everywhere: `unix:///run/a.sock` is short for `http+unix://%2Frun%2Fa.sock`.
    package static func spelledOut(_ text: String) -> String {
        for prefix in ["unix://", "unix:"] where text.hasPrefix(prefix) {
            let path = text.dropFirst(prefix.count)
            if path.hasPrefix("/") { return "\(socketScheme)://\(PercentEncoding.encode(path))" }
        }
        return text
    }

    /// Whether an authority is the path of a socket: absolute, percent-encoded, and no longer than the system takes.
    private static func isSocket(_ authority: HTTPAuthority) -> Bool {
        let path = PercentEncoding.decode(authority.text)
        return authority.portText == nil && path.hasPrefix("/") && path.utf8.count <= longestSocketPath
            && !path.utf8.contains(0)
    }

    /// The shortest limit of the systems that this runs on, in bytes.
    package static let longestSocketPath = 103

    private static func isScheme(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20) else {
            return false
        }
        return text.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}

// Where a request goes: host and port out of an http URL.

import ModelGateway
import NIOCore

/// The host and port of an engine, and how requests name them.
struct UpstreamAddress: Hashable {
    let host: String
    let port: Int
    /// Host and port as the URL has them, for the `host` line.
    let authority: String

    /// Splits an `http://` URL.
    /// - Returns: The address and the request target; nil for a URL with user info.
    /// - Throws: ``GatewayError/Code/invalidRequest`` if it is not a valid URL.
    static func parse(_ url: String) throws(GatewayError) -> (address: UpstreamAddress, target: String)? {
        let invalid = GatewayError(.invalidRequest, "The provider's URL is not a valid http or https URL.")
        let rest = url.utf8.dropFirst("http://".utf8.count)
        guard rest.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw invalid }
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        let authority = rest[..<(end ?? rest.endIndex)]
        if authority.contains(UInt8(ascii: "@")) { return nil }
        let address = try UpstreamAddress(authority: Substring(authority), invalid)
        var target = String(Substring(rest[authority.endIndex...].prefix { $0 != UInt8(ascii: "#") }))
        if !target.hasPrefix("/") { target = "/" + target }
        return (address, target)
    }

    private init(authority: Substring, _ invalid: GatewayError) throws(GatewayError) {
        var host = authority
        var port: Int? = 80
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { throw invalid }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            let rest = authority[authority.index(after: bracket)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw invalid }
            if rest.count > 1 { port = Int(rest.dropFirst()) }
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            let digits = authority[authority.index(after: colon)...]
            if !digits.isEmpty { port = Int(digits) }
        }
        guard !host.isEmpty, let port, (1...65_535).contains(port) else { throw invalid }
        self.host = String(host)
        self.port = port
        self.authority = String(authority)
    }
}

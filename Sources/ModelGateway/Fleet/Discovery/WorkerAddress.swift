// Where a worker is, and the id that follows from it.

/// The address of an OpenAI-compatible server, and what the place that named it says about its share of the calls.
package struct WorkerAddress: Sendable, Hashable {
    /// The base URL of the server's API, with `/v1` for a path if none was given.
    package let url: BaseURL
    /// The share of calls; nil if the source says nothing about it.
    package var weight: Double?
    /// The tier; nil if the source says nothing about it.
    package var priority: Int?

    /// Checks an address.
    /// - Throws: ``GatewayError/Code/configuration`` if it is no absolute http(s) URL.
    package init(_ text: String, weight: Double? = nil, priority: Int? = nil) throws(GatewayError) {
        url = try BaseURL(text).withDefaultPath
        self.weight = weight
        self.priority = priority
    }

    /// Host and port, such as `10.0.0.1:8000`; followed by the path if it is not `/v1`.
    package var id: String {
        let authority = url.authority.lowercased()
        // A colon inside brackets belongs to an IPv6 address.
        let hasPort = authority.split(separator: "]", omittingEmptySubsequences: false).last?.contains(":") ?? false
        let port = hasPort ? "" : url.scheme == "https" ? ":443" : ":80"
        return authority + port + (url.path == "/v1" ? "" : url.path)
    }
}

extension BaseURL {
    /// The address of the server behind an API, under which its health and its metrics are: the API's without `/v1`.
    var server: String { path.hasSuffix("/v1") ? String(description.dropLast(3)) : description }
}

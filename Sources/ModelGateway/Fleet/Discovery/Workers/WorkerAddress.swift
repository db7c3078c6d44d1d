// Where a worker is, and the id that follows from it.

import GatewayWire

/// The address of an OpenAI-compatible server, and what its source says about its share of the calls.
public struct WorkerAddress: Sendable, Hashable {
    /// The base URL of the server's API, with the path `/v1` if none was given.
    package let url: BaseURL
    /// Host and port, such as `10.0.0.1:8000`, followed by the path if it is not `/v1`. Two addresses with the same one
    /// are one worker.
    package let place: String
    /// The worker's id: the same in every process, and without the address in it, so that it may be shown to people who
    /// must not see the address.
    public let id: String
    /// The share of calls relative to other workers, 0 to 1,000; 0 keeps calls away. Nil, if the source says nothing
    /// about it, stands for 1 and leaves alone what ``Gateway/updateWorker(_:_:)`` set.
    public var weight: Double?
    /// The tier, 0 to 1,000; lower numbers first. Nil, if the source says nothing about it, stands for 0 and leaves
    /// alone what ``Gateway/updateWorker(_:_:)`` set.
    public var priority: Int?

    /// Checks an address.
    /// - Parameters:
    ///   - text: The base URL of an OpenAI-compatible API; `/v1` is assumed if it has no path.
    ///   - weight: The share of calls. Default nil: the source says nothing about it.
    ///   - priority: The tier. Default nil: the source says nothing about it.
    /// - Throws: ``GatewayError/Code/configuration`` if the text is not an absolute http(s) URL.
    public init(_ text: String, weight: Double? = nil, priority: Int? = nil) throws(GatewayError) {
        url = try BaseURL(text).withDefaultPath
        place = Self.place(of: url)
        let digits = String(StableHash.hash(place) >> 16, radix: 16)
        id = "worker-" + String(repeating: "0", count: 12 - digits.count) + digits
        self.weight = weight
        self.priority = priority
    }

    private static func place(of url: BaseURL) -> String {
        if url.isSocket { return url.authority + (url.path == "/v1" ? "" : url.path) }
        return "\(HTTPAuthority(url.authority[...]).host.lowercased()):\(url.port)\(url.path == "/v1" ? "" : url.path)"
    }
}

extension BaseURL {
    /// The address of the server behind an API, where its health and its metrics are: the API's without `/v1`.
    package var server: String { path.hasSuffix("/v1") ? String(description.dropLast(3)) : description }
}

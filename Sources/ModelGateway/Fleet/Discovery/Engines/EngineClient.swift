// Small GET requests to a worker's own endpoints: bounded in time and in size.

/// Asks one worker.
package struct EngineClient: Sendable {
    /// An answer that was read in full.
    package struct Answer: Sendable {
        package var status: Int
        package var body: [UInt8]

        /// The body as JSON; nil if it is not JSON.
        var json: JSONValue? { try? JSONValue(parsing: body) }
    }

    /// The largest answer that is read; `/metrics` of an engine with many labels is below 1 MiB.
    static let largestAnswer = 4 << 20

    /// The base URL of the worker's API.
    let url: BaseURL
    let apiKey: Secret?
    /// Who is asking.
    let identity: GatewayIdentity
    let transport: any HTTPTransport
    let timeout: Duration

    package init(
        url: BaseURL,
        apiKey: Secret? = nil,
        identity: GatewayIdentity = GatewayIdentity(),
        transport: any HTTPTransport,
        timeout: Duration = .seconds(3)
    ) {
        self.url = url
        self.apiKey = apiKey
        self.identity = identity
        self.transport = transport
        self.timeout = timeout
    }

    private var timeouts: Timeouts {
        Timeouts(connect: timeout, firstByte: timeout, idle: timeout, total: timeout)
    }

    /// Requests a path of the server itself; it begins with a slash.
    package func get(_ path: String) async throws(GatewayError) -> Answer {
        var headers = identity.marks
        if let apiKey, !apiKey.isEmpty { headers.append(HTTPHeader("authorization", "Bearer \(apiKey.reveal())")) }
        let request = HTTPTransportRequest(
            method: "GET",
            url: url.server + path,
            headers: headers,
            timeouts: timeouts
        )
        let response = try await transport.send(request)
        return Answer(status: response.status, body: try await response.wholeBody(limit: Self.largestAnswer))
    }

    /// Requests the models that the worker offers. Names that cannot be public names are left out.
    /// - Throws: ``GatewayError/Code/loopDetected`` if the worker is the gateway itself.
    package func models() async throws(GatewayError) -> [ModelInfo] {
        let provider = try provider(name: Engine.Kind.generic.rawValue)
        let listing: (models: [ModelInfo], gatewayID: String?)
        do throws(GatewayError) {
            listing = try await provider.listing(timeouts: timeouts, headers: identity.marks)
        } catch {
            throw provider.credentials.masked(error)
        }
        guard listing.gatewayID != identity.id else {
            throw GatewayError(.loopDetected, "The worker is this gateway itself.")
        }
        var seen: Set<String> = []
        return listing.models.filter { model in
            let isUsable = !model.id.isEmpty && model.id.utf8.count <= 512 && !model.id.utf8.contains { $0 < 0x20 }
            return isUsable && seen.insert(model.id).inserted
        }
    }

    /// The provider through which calls reach the worker.
    func provider(name: String) throws(GatewayError) -> OpenAICompatibleProvider {
        try OpenAICompatibleProvider(
            baseURL: url.description,
            apiKey: apiKey?.reveal(),
            name: name,
            transport: transport
        )
    }
}

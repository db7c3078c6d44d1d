// Workers that come, change and go while a gateway runs.

extension Gateway {
    /// Creates a gateway that has nothing but workers.
    package convenience init(registry: WorkerRegistry, sources: [any WorkerSource] = []) {
        self.init(groups: [], registry: registry, sources: sources)
    }

    /// The workers that were named by the configuration, by a source or by ``addWorker(url:apiKey:weight:priority:labels:tags:)``,
    /// by their ids.
    public var workers: [Worker] { registry.workers }

    /// One worker.
    /// - Throws: ``GatewayError/Code/notFound`` if there is none with this id.
    public func worker(_ id: String) throws(GatewayError) -> Worker {
        guard let worker = registry.worker(id) else { throw Self.unknownWorker(id) }
        return worker
    }

    /// Adds a server whose models the gateway finds out and serves. Returns at once; while ``run(logger:)`` runs, the
    /// worker is asked until it answers.
    ///
    /// The gateway sends requests to the address, also prompts: pass on only addresses that an operator chose. The
    /// configured key of all workers is not sent to it, unless the configuration or a source names it as well.
    /// - Parameters:
    ///   - url: The base URL of an OpenAI-compatible API; `/v1` is assumed if it has no path, and tried below a path
    ///     at which there is no list of models.
    ///   - apiKey: Sent as a bearer token; nil for none.
    ///   - weight: The share of calls relative to other workers, 0 to 1,000.
    ///   - priority: The tier, 0 to 1,000; lower numbers first.
    ///   - labels: Names and values for people and dashboards.
    ///   - tags: Names that calls can prefer it by.
    /// - Throws: ``GatewayError/Code/invalidRequest`` if a value cannot be used, ``GatewayError/Code/conflict`` if there
    ///   is a worker with this address.
    @discardableResult
    public func addWorker(
        url: String,
        apiKey: Secret? = nil,
        weight: Double = 1,
        priority: Int = 0,
        labels: [String: String] = [:],
        tags: [String] = []
    ) throws(GatewayError) -> Worker {
        try WorkerChange(weight: weight, priority: priority, labels: labels, tags: tags, apiKey: apiKey).validate()
        let address: WorkerAddress
        do throws(GatewayError) {
            address = try WorkerAddress(url, weight: weight, priority: priority)
        } catch {
            throw GatewayError(.invalidRequest, error.message, param: "url")
        }
        return try registry.add(address, apiKey: apiKey, labels: labels, tags: tags)
    }

    /// Sends no more calls to a worker and removes it when those under way have ended.
    ///
    /// A worker that a source names stays away until the source has left it out and names it again.
    /// - Parameters:
    ///   - id: The worker's id.
    ///   - limit: How long calls under way may hold it; afterwards they go on, but are no longer counted. Zero
    ///     removes it at once. Default nil: ``WorkerOptions/drainDeadline``.
    /// - Returns: The worker as it is now; its state is ``Worker/State/draining``.
    /// - Throws: ``GatewayError/Code/notFound`` if there is none with this id.
    @discardableResult
    public func removeWorker(_ id: String, drain limit: Duration? = nil) throws(GatewayError) -> Worker {
        let limit = limit ?? registry.options.drainDeadline
        guard let worker = registry.remove(id, within: limit) else { throw Self.unknownWorker(id) }
        return worker
    }

    /// Changes a worker's weight, tier, labels, tags or key, drains it or takes it back into service.
    /// - Returns: The worker as it is now.
    /// - Throws: ``GatewayError/Code/notFound`` if there is none with this id, ``GatewayError/Code/invalidRequest`` if a
    ///   value is out of range, ``GatewayError/Code/conflict`` if the worker is being removed.
    @discardableResult
    public func updateWorker(_ id: String, _ change: WorkerChange) throws(GatewayError) -> Worker {
        guard let worker = try registry.change(id, change) else { throw Self.unknownWorker(id) }
        return worker
    }

    private static func unknownWorker(_ id: String) -> GatewayError {
        GatewayError(.notFound, "There is no worker \(String(id.prefix(80)).debugDescription)", advice: .chooseWorker)
    }
}

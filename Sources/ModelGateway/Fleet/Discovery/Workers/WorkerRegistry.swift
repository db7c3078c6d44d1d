// The known workers, and the deployments that the fleet has because of them.

import GatewayWire
internal import Logging
import Synchronization

/// Keeps the fleet in step with the workers: one deployment for each model of each worker.
///
/// The workers are asked elsewhere; the registry says which requests are due and takes the answers.
package final class WorkerRegistry: Sendable {
    package let fleet: Fleet
    /// How the gateway identifies itself to workers.
    package let identity: GatewayIdentity
    let options: WorkerOptions
    let time: TimeSource
    private let transport: Lock<(any HTTPTransport)?>
    private let state = Lock(State())

    struct State: Sendable {
        var workers: [String: WorkerEntry] = [:]
        var lastNumber = 0
        /// Whether something names workers besides those who register themselves.
        var hasSources = false
        /// What each source reported last.
        var reported: [String: Set<String>] = [:]
        /// Deployments that are leaving the fleet.
        var leaving: Set<Leaving> = []
    }

    struct Leaving: Hashable, Sendable {
        var worker: String
        var model: String
        var deployment: String
    }

    /// Signals that something has become due earlier.
    let changed = Signal()

    /// Creates an empty registry.
    /// - Parameter transport: How workers are reached; with nil one is created for the first worker.
    package init(
        _ fleet: Fleet,
        options: WorkerOptions = WorkerOptions(),
        transport: (any HTTPTransport)? = nil,
        time: TimeSource = .system,
        identity: GatewayIdentity = GatewayIdentity()
    ) {
        self.identity = identity
        self.fleet = fleet
        self.options = options
        self.transport = Lock(transport)
        self.time = time
        fleet.probeNews.missing.watch { [changed] in changed.send() }
    }

    /// What workers are reached with.
    func workerTransport() throws(GatewayError) -> any HTTPTransport {
        if let transport = transport.withLock({ $0 }) { return transport }
        let made = try CurlTransport()
        return transport.withLock { transport in
            let kept = transport ?? made
            transport = kept
            return kept
        }
    }

    func update<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        state.withLock { body(&$0) }
    }
}

// MARK: - What may still come

extension WorkerRegistry {
    // A worker that has not answered for this long since it was named is no longer waited for.
    private static let patience = Duration.seconds(60)

    /// Notes that sources will name workers, so models that nobody offers yet may still appear.
    package func awaitSources() {
        update { state in
            state.hasSources = true
            noteOutlook(state)
        }
    }

    /// Tells the fleet which error calls to unknown models receive.
    func noteOutlook(_ state: State) {
        let present = state.workers.values.filter { !$0.isLeaving }
        let silent = present.filter { !$0.hasAnswered }
        fleet.unknownModels.expect(
            isSearching: state.hasSources && silent.count == present.count,
            answersDue: silent.map { $0.added + Self.patience }.max() ?? MonotonicInstant(nanoseconds: .min)
        )
    }
}

// MARK: - Membership

extension WorkerRegistry {
    /// The workers, by their ids.
    package var workers: [Worker] {
        update { state in
            prune(&state)
            return state.workers.values.sorted { $0.id < $1.id }.map(describe)
        }
    }

    /// One worker.
    package func worker(_ id: String) -> Worker? {
        update { state in
            prune(&state)
            return state.workers[id].map(describe)
        }
    }

    /// Adds a worker that somebody named while the gateway runs. It is not sent the key of all workers.
    /// - Throws: ``GatewayError/Code/conflict`` if there already is one with this address.
    package func add(
        _ address: WorkerAddress,
        apiKey: Secret?,
        labels: [String: String] = [:],
        tags: [String] = []
    ) throws(GatewayError) -> Worker {
        let worker: Worker? = update { state in
            if let known = state.workers[address.id], !known.isLeaving { return nil }
            var entry = insert(address, source: WorkerEntry.api, ownKey: apiKey, into: &state)
            entry.labels = labels
            entry.tags = tags
            state.workers[entry.id] = entry
            noteOutlook(state)
            return describe(entry)
        }
        guard let worker else {
            throw GatewayError(
                .conflict,
                "The worker \(address.id) is already at this address",
                advice: .changeWorker
            )
        }
        changed.send()
        return worker
    }

    /// Takes the complete set of workers that a source names now.
    package func report(_ addresses: [WorkerAddress], from source: String) {
        update { state in
            let ids = Set(addresses.map(\.id))
            let before = state.reported.updateValue(ids, forKey: source) ?? []
            for id in before.subtracting(ids) {
                part(id, from: source, &state)
            }
            // A worker that was removed by hand stays removed until the source has left it out once.
            for address in addresses where !before.contains(address.id) {
                if let known = state.workers[address.id], !known.isLeaving {
                    join(address, source: source, &state)
                } else {
                    let entry = insert(address, source: source, ownKey: nil, into: &state)
                    state.workers[entry.id] = entry
                }
            }
            for address in addresses where before.contains(address.id) { adjust(address, &state) }
            noteOutlook(state)
        }
        changed.send()
    }

    /// Sends no more calls to a worker, and removes it when those in flight have ended, or at a deadline.
    /// - Returns: The worker as it is now, or nil if there is none with this id.
    package func remove(_ id: String, within limit: Duration) -> Worker? {
        let worker: Worker? = update { state in
            prune(&state)
            guard var entry = state.workers[id] else { return nil }
            leave(id, within: limit, &state)
            noteOutlook(state)
            // A worker without calls is gone already; it is shown as it last was.
            entry.isLeaving = true
            return describe(state.workers[id] ?? entry)
        }
        if worker != nil { changed.send() }
        return worker
    }

    /// Changes a worker.
    /// - Returns: The worker as it is now, or nil if there is none with this id.
    /// - Throws: ``GatewayError/Code/conflict`` if it is being removed.
    package func change(_ id: String, _ change: WorkerChange) throws(GatewayError) -> Worker? {
        try change.validate()
        let result: Result<Worker?, GatewayError> = update { state in
            prune(&state)
            guard let entry = state.workers[id] else { return .success(nil) }
            guard !entry.isLeaving else {
                return .failure(
                    GatewayError(.conflict, "The worker \(id) is being removed; add it again instead of changing it.")
                )
            }
            apply(change, to: id, &state)
            return .success(state.workers[id].map(describe))
        }
        changed.send()
        return try result.get()
    }

    private func insert(
        _ address: WorkerAddress,
        source: String,
        ownKey: Secret?,
        into state: inout State
    ) -> WorkerEntry {
        state.lastNumber += 1
        var entry = WorkerEntry(
            number: state.lastNumber,
            address: address,
            ownKey: ownKey,
            sharedKey: options.apiKey,
            now: time.now()
        )
        entry.sources = [source]
        fleet.journal.note(.info, "A worker was added.", entry.logged + [("source", source)])
        return entry
    }

    /// A source names a worker that is already there: it then has the address as the source writes it, and the key of
    /// all workers.
    private func join(_ address: WorkerAddress, source: String, _ state: inout State) {
        guard var entry = state.workers[address.id] else { return }
        entry.sources.insert(source)
        var named = address
        named.weight = entry.address.weight
        named.priority = entry.address.priority
        if named.url != entry.address.url {
            entry.url = named.url
            // It is never due while it is being asked, at the old address; that answer will not count.
            if entry.inspectionDue != .never { entry.inspectionDue = time.now() }
        }
        entry.address = named
        deploy(Array(entry.deployed), of: &entry, &state)
        state.workers[entry.id] = entry
    }

    /// A source no longer names a worker.
    private func part(_ id: String, from source: String, _ state: inout State) {
        guard var entry = state.workers[id], entry.sources.remove(source) != nil else { return }
        // One that others name as well may lose the key of all workers by this.
        if !entry.sources.isEmpty { deploy(Array(entry.deployed), of: &entry, &state) }
        state.workers[id] = entry
        if entry.sources.isEmpty { leave(id, within: options.drainDeadline, &state) }
    }

    /// Takes the weight and the tier that a source gives to a worker it has named before.
    private func adjust(_ address: WorkerAddress, _ state: inout State) {
        guard let entry = state.workers[address.id], !entry.isLeaving else { return }
        let isNew = (address.weight, address.priority) != (entry.address.weight, entry.address.priority)
        guard isNew else { return }
        state.workers[address.id]?.address.weight = address.weight
        state.workers[address.id]?.address.priority = address.priority
        apply(WorkerChange(weight: address.weight, priority: address.priority), to: address.id, &state)
    }

    private func apply(_ change: WorkerChange, to id: String, _ state: inout State) {
        guard var entry = state.workers[id] else { return }
        fleet.journal.note(.info, "A worker was changed.", entry.logged + change.logged)
        entry.weight = change.weight ?? entry.weight
        entry.priority = change.priority ?? entry.priority
        entry.labels = change.labels ?? entry.labels
        entry.tags = change.tags ?? entry.tags
        if let key = change.apiKey {
            entry.ownKey = key.isEmpty ? nil : key
            // Its answer may be different with the other key.
            if !entry.isLeaving, entry.inspectionDue != .never { entry.inspectionDue = time.now() }
        }
        if let isDraining = change.isDraining, isDraining != entry.isDraining {
            entry.isDraining = isDraining
            if isDraining { withdraw(entry.deployed, of: &entry, within: options.drainDeadline, &state) }
        }
        deploy(entry.models.map(\.id), of: &entry, &state)
        state.workers[id] = entry
    }

    private func leave(_ id: String, within limit: Duration, _ state: inout State) {
        guard var entry = state.workers[id] else { return }
        if !entry.isLeaving { fleet.journal.note(.info, "A worker is being removed.", entry.logged) }
        entry.isLeaving = true
        entry.inspectionDue = .never
        entry.loadDue = .never
        withdraw(Set(entry.models.map(\.id)).union(entry.deployed), of: &entry, within: limit, &state)
        state.workers[id] = entry
        prune(&state)
    }
}

// What the gateway knows about one worker while it runs.

import GatewayWire

/// The live state of one worker.
struct WorkerEntry: Sendable {
    /// No other entry of the registry has this number, so that answers can be matched to the worker they are about.
    let number: Int
    var address: WorkerAddress
    /// The base URL of its API: that of the address, or `/v1` below it where the worker was found to have it there.
    var url: BaseURL
    /// The key that was given for this worker alone.
    var ownKey: Secret?
    /// The key of all workers that an operator's configuration or sources name.
    let sharedKey: Secret?
    var weight: Double
    var priority: Int
    var labels: [String: String]
    var tags: [String]
    var sources: Set<String> = []
    /// When it was first named.
    let added: MonotonicInstant
    var hasAnswered = false
    var failures = 0
    var problem: String?
    var engine: Engine?
    var models: [ModelInfo] = []
    /// The models for which the fleet has a deployment.
    var deployed: Set<String> = []
    var isDraining = false
    var isLeaving = false
    /// When it is due to be asked for its models; never while it is being asked.
    var inspectionDue: MonotonicInstant
    /// When it is due to be asked for its load; never while it is being asked, or for engines that do not report it.
    var loadDue = MonotonicInstant.never
    /// When its engine was started, in seconds since 1970, if the engine says.
    var engineStart: Double?
    /// How often its engine was seen to restart.
    var restarts: UInt64 = 0

    /// Whether it turned out to be this gateway.
    var isOurselves = false

    init(number: Int, address: WorkerAddress, ownKey: Secret?, sharedKey: Secret?, now: MonotonicInstant) {
        self.number = number
        self.address = address
        url = address.url
        self.ownKey = ownKey
        self.sharedKey = sharedKey
        weight = address.weight ?? 1
        priority = address.priority ?? 0
        labels = [:]
        tags = []
        inspectionDue = now
        added = now
    }

    var id: String { address.id }

    /// The source that stands for requests to add a worker.
    static let api = "api"

    /// The key that is sent to it. Otherwise anyone allowed to add a worker could have the shared key sent to any
    /// address.
    var apiKey: Secret? { ownKey ?? (sources.contains { $0 != Self.api } ? sharedKey : nil) }

    /// What logs call it.
    var title: String { "\(id) (\(address.url))" }

    /// What a log line about it names.
    var logged: [(String, String)] { [("worker", id), ("url", url.description)] }

    func deploymentID(_ model: String) -> String { "\(id)/\(model)" }

    var state: Worker.State {
        if isLeaving || isDraining { return .draining }
        if isOurselves { return .refused }
        if !hasAnswered { return .connecting }
        return failures > 0 ? .unreachable : .ready
    }

    /// Changes when a different engine holds the caches, or when it is called with different credentials.
    var fingerprint: UInt64 {
        StableHash.hash([url.description, apiKey?.reveal() ?? "", "\(restarts)"].joined(separator: "\u{0}"))
    }
}

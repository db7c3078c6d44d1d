// What the gateway knows about one worker while it runs.

import GatewayWire

/// The live state of one worker.
struct WorkerEntry: Sendable {
    /// No other entry of the registry has this number: results of questions find the worker that they are about.
    let number: Int
    var address: WorkerAddress
    let apiKey: Secret?
    var weight: Double
    var priority: Int
    var labels: [String: String]
    var sources: Set<String> = []
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
    /// When it is due to be asked for its load; never while it is being asked, and for engines that do not tell.
    var loadDue = MonotonicInstant.never
    /// When its engine was started, in seconds since 1970, if it says so.
    var engineStart: Double?
    /// How often its engine was seen to start anew.
    var restarts: UInt64 = 0

    init(number: Int, address: WorkerAddress, apiKey: Secret?, now: MonotonicInstant) {
        self.number = number
        self.address = address
        self.apiKey = apiKey
        weight = address.weight ?? 1
        priority = address.priority ?? 0
        labels = [:]
        inspectionDue = now
    }

    var id: String { address.id }

    func deploymentID(_ model: String) -> String { "\(id)/\(model)" }

    var state: Worker.State {
        if isLeaving || isDraining { return .draining }
        if !hasAnswered { return .connecting }
        return failures > 0 ? .unreachable : .ready
    }

    /// Changes when the engine that holds the caches is another one, or is spoken to with other credentials.
    var fingerprint: UInt64 {
        StableHash.hash([address.url.description, apiKey?.reveal() ?? "", "\(restarts)"].joined(separator: "\u{0}"))
    }
}

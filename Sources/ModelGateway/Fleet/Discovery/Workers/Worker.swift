// What a worker looks like from outside.

/// A server whose models are discovered, at one moment.
public struct Worker: Sendable {
    /// How far the gateway has got with a worker.
    public enum State: String, Sendable, Hashable {
        /// It has not answered yet, and is asked repeatedly.
        case connecting
        /// It has said which models it offers.
        case ready
        /// It has answered before, but not when last asked.
        case unreachable
        /// It is this gateway itself and receives no calls. It is asked again now and then, since another server may
        /// appear at its address.
        case refused
        /// It takes no new calls; see ``Worker/isLeaving``.
        case draining
    }

    /// `worker-` and twelve hexadecimal digits, which follow from its address but do not show it.
    public var id: String
    /// The base URL of its API.
    public var url: String
    /// Who named it: `configuration`, `api`, `file`, `dns` or a ``WorkerSource`` of the program; in alphabetical order.
    public var sources: [String]
    /// How far the gateway has got with it.
    public var state: State
    /// Whether it will be removed when its last call has ended.
    public var isLeaving: Bool
    /// The program that it runs; nil before that is known.
    public var engine: Engine?
    /// The models that it offered when last asked, in its order.
    public var models: [String]
    /// The share of calls relative to other workers.
    public var weight: Double
    /// The tier; lower numbers come first.
    public var priority: Int
    /// Tags by which calls can prefer it.
    public var tags: [String]
    /// Names and values for people and dashboards.
    public var labels: [String: String]
    /// Why it could not be asked, if the last request failed.
    public var problem: String?
    /// Its deployments, one for each model.
    public var deployments: [DeploymentStatus]
}

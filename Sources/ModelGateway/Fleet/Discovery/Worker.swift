// What can be seen of a worker, and what can be changed about it.

/// A server whose models are discovered, at one moment.
public struct Worker: Sendable {
    /// How far the gateway has come with a worker.
    public enum State: String, Sendable, Hashable {
        /// It has not answered yet; it is asked again and again.
        case connecting
        /// It has said which models it offers.
        case ready
        /// It answered before but did not when last asked.
        case unreachable
        /// It takes no new calls; see ``Worker/isLeaving``.
        case draining
    }

    /// Host and port; followed by the path of its API if that is not `/v1`.
    public var id: String
    /// The base URL of its API.
    public var url: String
    /// Who named it: `configuration`, `api`, `file`, `dns`; in alphabetical order.
    public var sources: [String]
    /// How far the gateway has come with it.
    public var state: State
    /// Whether it goes away when its last call has ended.
    public var isLeaving: Bool
    /// The program that it runs; nil before that is known.
    public var engine: Engine?
    /// The models that it offered when last asked, in its order.
    public var models: [String]
    /// The share of calls relative to other workers.
    public var weight: Double
    /// The tier; lower numbers first.
    public var priority: Int
    /// Names and values for people and dashboards.
    public var labels: [String: String]
    /// Why it could not be asked, if the last question failed.
    public var problem: String?
    /// Its deployments, one for each model.
    public var deployments: [DeploymentStatus]
}

/// A change to a worker; what is nil stays as it is.
public struct WorkerChange: Sendable, Hashable {
    /// The share of calls, 0 to 1,000; 0 keeps calls away.
    public var weight: Double?
    /// The tier, 0 to 1,000; lower numbers first.
    public var priority: Int?
    /// All labels; those that are not among them are removed.
    public var labels: [String: String]?
    /// True sends no new calls to the worker, while those under way go on; false takes it back into service.
    public var isDraining: Bool?

    /// Creates a change.
    public init(
        weight: Double? = nil,
        priority: Int? = nil,
        labels: [String: String]? = nil,
        isDraining: Bool? = nil
    ) {
        self.weight = weight
        self.priority = priority
        self.labels = labels
        self.isDraining = isDraining
    }

    /// Checks the ranges.
    func validate() throws(GatewayError) {
        if let weight, !(0...1000).contains(weight) {
            throw GatewayError(.invalidRequest, "A worker's weight must be 0 to 1000.", param: "weight")
        }
        if let priority, !(0...1000).contains(priority) {
            throw GatewayError(.invalidRequest, "A worker's priority must be 0 to 1000.", param: "priority")
        }
        if let labels,
            labels.count > 64
                || labels.contains(where: { $0.key.isEmpty || $0.key.utf8.count > 64 || $0.value.utf8.count > 256 })
        {
            throw GatewayError(
                .invalidRequest,
                "A worker has at most 64 labels, with names of 1 to 64 bytes and values of at most 256 bytes.",
                param: "labels"
            )
        }
    }
}

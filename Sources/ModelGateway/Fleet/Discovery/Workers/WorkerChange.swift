// What can be changed about a worker while it runs.

/// A change to a worker; whatever is nil stays as it is.
public struct WorkerChange: Sendable, Hashable {
    /// The share of calls, 0 to 1,000; 0 keeps calls away.
    public var weight: Double?
    /// The tier, 0 to 1,000; lower numbers first.
    public var priority: Int?
    /// All labels; any others are removed.
    public var labels: [String: String]?
    /// All tags by which calls can prefer it; any others are removed.
    public var tags: [String]?
    /// The bearer token that it is sent from now on. An empty one removes the worker's own token.
    public var apiKey: Secret?
    /// True sends no new calls to the worker, while those in flight continue; false returns it to service.
    public var isDraining: Bool?

    /// Creates a change.
    public init(
        weight: Double? = nil,
        priority: Int? = nil,
        labels: [String: String]? = nil,
        tags: [String]? = nil,
        apiKey: Secret? = nil,
        isDraining: Bool? = nil
    ) {
        self.weight = weight
        self.priority = priority
        self.labels = labels
        self.tags = tags
        self.apiKey = apiKey
        self.isDraining = isDraining
    }

    /// What a log line says about it.
    var logged: [(String, String)] {
        var values: [(String, String)] = []
        if let weight { values.append(("weight", NumberText.format(weight))) }
        if let priority { values.append(("priority", "\(priority)")) }
        if let labels {
            let pairs = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            values.append(("labels", pairs.joined(separator: ",")))
        }
        if let tags { values.append(("tags", tags.joined(separator: ","))) }
        if apiKey != nil { values.append(("api_key", "changed")) }
        if let isDraining { values.append(("draining", "\(isDraining)")) }
        return values
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
        if let tags, tags.count > 64 || tags.contains(where: { !Self.isTag($0) }) {
            throw GatewayError(
                .invalidRequest,
                "A worker has at most 64 tags of 1 to 64 bytes each, without commas and white space around them.",
                param: "tags"
            )
        }
        if let key = apiKey?.reveal(), key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw GatewayError(.invalidRequest, "A worker's key must not have control characters.", param: "api_key")
        }
    }

    /// Whether a call can ask for it: calls list tags with commas in between.
    private static func isTag(_ tag: String) -> Bool {
        (1...64).contains(tag.utf8.count) && !tag.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: ",") }
            && tag.first != " " && tag.last != " "
    }
}

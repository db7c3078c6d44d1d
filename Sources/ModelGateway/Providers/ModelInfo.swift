// What a provider says about a model.

/// A model that a provider offers.
public struct ModelInfo: Sendable, Hashable {
    /// The model's id at the provider.
    public var id: String
    /// Who made or serves it, if the provider says so.
    public var ownedBy: String?
    /// Seconds since 1970 at which it was made, if the provider says so.
    public var created: Int?
    /// The context length in tokens, if the provider says so.
    public var contextLength: Int?

    /// Creates a model description.
    public init(id: String, ownedBy: String? = nil, created: Int? = nil, contextLength: Int? = nil) {
        self.id = id
        self.ownedBy = ownedBy
        self.created = created
        self.contextLength = contextLength
    }
}

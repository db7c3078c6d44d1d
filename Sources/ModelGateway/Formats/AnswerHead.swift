// What an answer says of itself, for providers that leave it out.

/// What stands at the head of an answer. What the provider says goes before it.
package struct AnswerHead: Sendable {
    /// The answer's id.
    package var id: String
    /// Seconds since 1970 at which the answer was begun.
    package var created: Int
    /// The model's name.
    package var model: String

    package init(id: String, created: Int, model: String) {
        self.id = id
        self.created = created
        self.model = model
    }
}

// What every answer of OpenAI's format must say of itself.

extension AnswerHead {
    /// Whether a provider's value for one of the members says nothing: some engines begin a stream with empty ones.
    package static func isBlank(_ value: JSONValue) -> Bool {
        value == .null || value == "" || value == 0
    }

    /// Puts the head before the members of an answer, each value the provider's if it has one.
    /// - Parameter object: What the answer is in OpenAI's words, such as `chat.completion`.
    package func completed(_ members: [JSONMember], object: String) -> [JSONMember] {
        func value(_ name: String, _ own: JSONValue) -> JSONMember {
            let given = members.last { $0.name == name }?.value ?? .null
            return JSONMember(name, Self.isBlank(given) ? own : given)
        }
        let head = [
            value("id", .string(id)), JSONMember("object", .string(object)),
            value("created", .number(JSONNumber(created))), value("model", .string(model)),
        ]
        return head + members.filter { member in !head.contains { $0.name == member.name } }
    }
}

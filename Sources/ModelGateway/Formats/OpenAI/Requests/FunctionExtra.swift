// Fields besides those of the vocabulary in what OpenAI's format wraps in a `function` object: tools and tool calls.

/// The further members of a tool or a tool call; those inside its `function` stand in a member of that name.
struct FunctionExtra {
    let members: [JSONMember]

    init(members: [JSONMember]) {
        self.members = members
    }

    /// Finds them.
    /// - Parameters:
    ///   - json: The tool or the call.
    ///   - known: The members of its `function` that the vocabulary has a place for.
    init(of json: JSONValue, known: Set<String>) {
        var members = (json.object ?? []).beside(["id", "type", "index", "function"])
        let inside = (json["function"]?.object ?? []).beside(known)
        if !inside.isEmpty { members.append(JSONMember("function", .object(inside))) }
        self.members = members
    }

    /// The members of a call's `function` that the vocabulary has a place for.
    static let knownOfCall: Set<String> = ["name", "arguments"]

    /// The object with these members, the `function` and what stands here.
    func object(_ head: [JSONMember], function: [JSONMember]) -> JSONValue {
        let inside = members.last { $0.name == "function" }?.value.object ?? []
        return .object(
            head + [JSONMember("function", .object(function + inside))] + members.filter { $0.name != "function" }
        )
    }
}

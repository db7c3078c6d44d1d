// How the fields of a streamed answer's pieces become the fields of the whole answer.

/// What a later piece of an answer does to a field that an earlier one had already.
package enum PieceRule: Sendable {
    /// The later value replaces the earlier one.
    case latest
    /// Lists are joined and objects merged; other values are replaced.
    case joinLists
    /// As ``joinLists``, and texts are joined too.
    case joinTexts
}

extension JSONValue {
    /// Takes in the value that a later piece has for the same field. Null says nothing.
    package mutating func merge(_ later: JSONValue, by rule: PieceRule) {
        switch later {
        case .null: return
        case .string(let more) where rule == .joinTexts:
            guard case .string(var text) = self else { break }
            // Let go of first, here and below, so that appending does not copy.
            self = .null
            text += more
            self = .string(text)
            return
        case .array(let more) where rule != .latest:
            guard case .array(var elements) = self else { break }
            self = .null
            for element in more { elements.take(element, by: rule) }
            self = .array(elements)
            return
        case .object(let more) where rule != .latest:
            guard case .object(var members) = self else { break }
            self = .null
            members.merge(more, by: rule)
            self = .object(members)
            return
        default: break
        }
        self = later
    }
}

extension [JSONMember] {
    /// Takes in the members of a later piece.
    package mutating func merge(_ later: [JSONMember], by rule: PieceRule) {
        for member in later.unrepeated { merge(member, by: rule) }
    }

    /// The members without those that a later one of the same name stands for, as in ``JSONValue/subscript(_:)``.
    package var unrepeated: [JSONMember] {
        var seen: Set<String> = []
        guard !allSatisfy({ seen.insert($0.name).inserted }) else { return self }
        seen = []
        return reversed().filter { seen.insert($0.name).inserted }.reversed()
    }

    /// Takes in one member of a later piece.
    package mutating func merge(_ later: JSONMember, by rule: PieceRule) {
        guard let place = firstIndex(where: { $0.name == later.name }) else {
            append(later)
            return
        }
        guard Self.names.contains(later.name) else {
            self[place].value.merge(later.value, by: rule)
            return
        }
        // Some engines repeat what something is called in each piece, others leave it empty after the first.
        if later.value != "" { self[place].value.merge(later.value, by: .latest) }
    }

    /// Fields that say what something is, and are not texts in pieces.
    private static let names: Set<String> = [
        "role", "type", "id", "name", "index", "object", "format", "status", "model", "call_id", "finish_reason",
    ]
}

extension [JSONValue] {
    /// Appends an element, or merges it into the one that has the same `index`.
    fileprivate mutating func take(_ element: JSONValue, by rule: PieceRule) {
        if rule == .joinTexts, let index = element["index"]?.int,
            let place = lastIndex(where: { $0["index"]?.int == index })
        {
            self[place].merge(element, by: rule)
        } else {
            append(element)
        }
    }
}

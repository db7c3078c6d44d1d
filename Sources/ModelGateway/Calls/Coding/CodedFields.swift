// What the Codable forms of the vocabulary have in common: empty lists stay away, further fields are an object.

extension KeyedDecodingContainer {
    /// A list that may be left out.
    func list<Element: Decodable>(_ key: Key) throws -> [Element] {
        try decodeIfPresent([Element].self, forKey: key) ?? []
    }

    /// Fields of a provider's own format; an object that may be left out.
    func fields(_ key: Key) throws -> [JSONMember] {
        guard let value = try decodeIfPresent(JSONValue.self, forKey: key) else { return [] }
        guard case .object(let members) = value else {
            throw DecodingError.dataCorruptedError(
                forKey: key,
                in: self,
                debugDescription: "An object of further fields was expected."
            )
        }
        return members
    }

    /// The one key of an object that stands for one of several cases.
    /// - Parameter expected: What the object may be, for the error.
    func onlyKey(_ expected: String) throws -> Key {
        guard let key = allKeys.first, allKeys.count == 1 else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: codingPath, debugDescription: "\(expected) was expected.")
            )
        }
        return key
    }
}

extension KeyedEncodingContainer {
    /// A list, unless it is empty.
    mutating func encode<Element: Encodable>(list: [Element], forKey key: Key) throws {
        if !list.isEmpty { try encode(list, forKey: key) }
    }

    /// Fields of a provider's own format as an object, unless there are none.
    mutating func encode(fields: [JSONMember], forKey key: Key) throws {
        if !fields.isEmpty { try encode(JSONValue.object(fields), forKey: key) }
    }
}

// JSON values through any encoder and decoder of the standard library's protocols.

/// The value itself: an object is an object, a number a number.
///
/// What `Codable` cannot carry is lost: integers of up to 128 bits stay exact where the coder has them (Foundation's
/// does), other numbers become the nearest `Double`, and the spelling of numbers is not kept. Objects are read in the
/// order of their names, because most decoders do not keep another one, and what is sent to a model should not change
/// from one run to the next. ``init(parsing:)`` and ``serialized()`` keep all of that.
extension JSONValue: Codable {
    /// Reads any value.
    public init(from decoder: any Decoder) throws {
        if let object = try? decoder.container(keyedBy: Name.self) {
            self = .object(
                try object.allKeys.sorted { $0.stringValue < $1.stringValue }.map { name in
                    JSONMember(name.stringValue, try object.decode(JSONValue.self, forKey: name))
                }
            )
        } else if var array = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !array.isAtEnd { elements.append(try array.decode(JSONValue.self)) }
            self = .array(elements)
        } else {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                self = .null
            } else if let text = try? value.decode(String.self) {
                self = .string(text)
            } else if let truth = try? value.decode(Bool.self) {
                self = .bool(truth)
            } else {
                self = .number(try value.decode(JSONNumber.self))
            }
        }
    }

    /// Writes the value; of several members of one name the last one.
    /// - Throws: `EncodingError` for a number that is too large for a `Double`.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .object(let members):
            var object = encoder.container(keyedBy: Name.self)
            for member in members.unrepeated { try object.encode(member.value, forKey: Name(member.name)) }
        case .array(let elements):
            var array = encoder.unkeyedContainer()
            for element in elements { try array.encode(element) }
        case .null:
            var value = encoder.singleValueContainer()
            try value.encodeNil()
        case .bool(let truth): try truth.encode(to: encoder)
        case .number(let number): try number.encode(to: encoder)
        case .string(let text): try text.encode(to: encoder)
        }
    }

    /// The name of a member.
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// A number, exact where the coder can carry it; see ``JSONValue``.
extension JSONNumber: Codable {
    /// Reads a number.
    public init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if let int = try? value.decode(Int.self) {
            self.init(int)
        } else if let int = try? value.decode(Int128.self) {
            self.init(unchecked: String(int))
        } else if let number = JSONNumber(try value.decode(Double.self)) {
            self = number
        } else {
            throw DecodingError.dataCorruptedError(in: value, debugDescription: "JSON has no infinite numbers.")
        }
    }

    /// Writes the number as an integer if it is spelled as one, else as a `Double`.
    /// - Throws: `EncodingError` if it is too large for a `Double`.
    public func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        if let int = Int(text), text != "-0" { return try value.encode(int) }
        if let int = Int128(text), text != "-0" { return try value.encode(int) }
        guard double.isFinite else {
            throw EncodingError.invalidValue(
                text,
                EncodingError.Context(codingPath: encoder.codingPath, debugDescription: "The number is too large.")
            )
        }
        try value.encode(double)
    }
}

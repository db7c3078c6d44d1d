// A JSON value in memory: tool schemas, metadata and fields that the vocabulary has no place for.

/// A JSON value that keeps the order of object members and the spelling of numbers.
public enum JSONValue: Sendable, Hashable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number, spelled as it was: `1`, `1.0` and `1e0` stay what they are.
    case number(JSONNumber)
    /// A string.
    case string(String)
    /// An array.
    case array([JSONValue])
    /// An object; the members are in their original order.
    case object([JSONMember])

    /// The value of the member with this name, if the value is an object that has one. Of several the last one counts,
    /// as in Python, Go and JavaScript.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// The string, if the value is one.
    public var string: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The number as an integer, if the value is a number without a fraction that fits.
    public var int: Int? {
        if case .number(let value) = self { value.int } else { nil }
    }

    /// The number as a double, if the value is a number.
    public var double: Double? {
        if case .number(let value) = self { value.double } else { nil }
    }

    /// The truth value, if the value is one.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The elements, if the value is an array.
    public var array: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members in order, if the value is an object.
    public var object: [JSONMember]? {
        if case .object(let value) = self { value } else { nil }
    }
}

/// A name and a value inside a JSON object.
public struct JSONMember: Sendable, Hashable {
    /// The member's name.
    public var name: String
    /// The member's value.
    public var value: JSONValue

    /// Creates a member.
    public init(_ name: String, _ value: JSONValue) {
        self.name = name
        self.value = value
    }
}

/// A JSON number in its original spelling.
public struct JSONNumber: Sendable, Hashable {
    /// The number as written, by the grammar of RFC 8259 §6.
    public let text: String

    /// The number as an integer, if it is one that fits.
    public var int: Int? {
        if let value = Int(text) { return value }
        guard let value = Double(text) else { return nil }
        return Int(exactly: value)
    }

    /// The nearest double.
    public var double: Double { Double(text) ?? .nan }

    package init(unchecked text: String) {
        self.text = text
    }

    /// Creates a number from an integer.
    public init(_ value: Int) {
        text = String(value)
    }

    /// Creates a number from a double; nil if it is infinite or not a number, which JSON cannot say.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : "\(value)"
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(floatLiteral value: Double) { self = JSONNumber(value).map(JSONValue.number) ?? .null }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { JSONMember($0.0, $0.1) })
    }
    public init(nilLiteral: ()) { self = .null }
}

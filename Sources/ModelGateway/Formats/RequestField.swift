// Typed reading of a client's JSON with the path of each value at hand, so that every mistake names its field.

/// A value in a client's request and the path that leads to it.
package struct RequestField {
    /// The value; `.null` if the member is absent.
    package let value: JSONValue
    /// The path as OpenAI's errors spell it, such as `messages[0].content`; empty for the whole body.
    package let path: String

    package init(_ value: JSONValue, path: String = "") {
        self.value = value
        self.path = path
    }

    /// The member of this name; a null one counts as absent.
    package subscript(name: String) -> RequestField {
        RequestField(value[name] ?? .null, path: path.isEmpty ? name : "\(path).\(name)")
    }

    /// Whether the member is absent or null.
    package var isAbsent: Bool { value == .null }

    /// This field, or nil if it is absent.
    package var present: RequestField? { isAbsent ? nil : self }

    package func string() throws(GatewayError) -> String {
        guard let string = value.string else { throw wrongType("a string") }
        return string
    }

    package func bool() throws(GatewayError) -> Bool {
        guard let bool = value.bool else { throw wrongType("a boolean") }
        return bool
    }

    package func int(_ range: ClosedRange<Int> = Int.min...Int.max) throws(GatewayError) -> Int {
        guard let int = value.int else { throw wrongType("an integer") }
        guard range.contains(int) else { throw outOfRange(int, range.lowerBound, range.upperBound, Int.max) }
        return int
    }

    package func double(_ range: ClosedRange<Double>) throws(GatewayError) -> Double {
        guard let double = value.double else { throw wrongType("a number") }
        guard range.contains(double) else {
            throw outOfRange(double, range.lowerBound, range.upperBound, Double.greatestFiniteMagnitude)
        }
        return double
    }

    package func elements() throws(GatewayError) -> [RequestField] {
        guard let array = value.array else { throw wrongType("an array") }
        return array.enumerated().map { RequestField($0.element, path: "\(path)[\($0.offset)]") }
    }

    package func members() throws(GatewayError) -> [JSONMember] {
        guard let object = value.object else { throw wrongType("an object") }
        return object
    }

    /// This field, or an error if it is absent.
    package func required() throws(GatewayError) -> RequestField {
        if isAbsent {
            throw GatewayError(.invalidRequest, "Missing required parameter: '\(path)'.", param: path)
        }
        return self
    }

    /// An error that says which type belongs here.
    package func wrongType(_ wanted: String) -> GatewayError {
        let subject = path.isEmpty ? "The request body" : "'\(path)'"
        return GatewayError(
            .invalidRequest,
            "\(subject) must be \(wanted), but is \(value.kindWithArticle).",
            param: path.isEmpty ? nil : path
        )
    }

    /// An error that says what is wrong with this value.
    package func invalid(_ reason: String) -> GatewayError {
        GatewayError(.invalidRequest, "'\(path)' \(reason)", param: path)
    }

    private func outOfRange<N: Comparable>(_ value: N, _ low: N, _ high: N, _ unbounded: N) -> GatewayError {
        let range = high == unbounded ? "at least \(low)" : "between \(low) and \(high)"
        return invalid("must be \(range), but is \(value).")
    }
}

extension JSONValue {
    fileprivate var kindWithArticle: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

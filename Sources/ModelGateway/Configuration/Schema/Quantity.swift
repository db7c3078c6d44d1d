// The kinds of values that have an order, and so a range of what is allowed.

/// A kind of value: what the reference calls it, how it is written, and how it is read.
struct Quantity<Value: Comparable & Sendable>: Sendable {
    let name: String
    /// A value in a sentence.
    let format: @Sendable (Value) -> String
    /// Whether a file has it in quotes.
    let isText: Bool
    /// Reads a value of a range.
    let read: @Sendable (inout ConfigurationDecoder, ConfigurationNode, ClosedRange<Value>) -> Value?

    /// A value as it stands in a file.
    func literal(_ value: Value) -> String { isText ? "\"\(format(value))\"" : format(value) }

    /// A range in a sentence, such as `1 to 1000`.
    func span(_ range: ClosedRange<Value>) -> String {
        "\(format(range.lowerBound)) to \(format(range.upperBound))"
    }
}

extension Quantity<Int> {
    static let integer = Quantity(name: "integer", format: { "\($0)" }, isText: false) { $0.integer($1, in: $2) }
    static let size = Quantity(name: "size", format: SizeText.format, isText: true) { $0.size($1, in: $2) }
}

extension Quantity<Double> {
    static let number = Quantity(name: "number", format: NumberText.format, isText: false) { $0.number($1, in: $2) }
}

extension Quantity<Duration> {
    static let duration = Quantity(name: "duration", format: DurationText.format, isText: true) {
        $0.duration($1, in: $2)
    }
}

// What is known of a metric beforehand: its name, its labels, its help text and the ranges of its histogram.

/// A metric as it is documented.
public struct MetricDescription: Sendable, Hashable {
    /// The type of a metric in Prometheus' terms.
    public enum Kind: String, Sendable, Hashable {
        /// A number that only grows.
        case counter
        /// A number that goes up and down.
        case gauge
        /// How often values fell into each of some ranges.
        case histogram
    }

    /// The full name, with its unit and ending.
    public var name: String
    /// The type.
    public var kind: Kind
    /// The names of the labels.
    public var labels: [String]
    /// A sentence that says what is counted, and in which unit.
    public var help: String
    /// The upper bounds of a histogram's ranges, ascending; empty for other types.
    public var buckets: [Double]

    /// Creates a description.
    public init(name: String, kind: Kind, labels: [String], help: String, buckets: [Double] = []) {
        self.name = name
        self.kind = kind
        self.labels = labels
        self.help = help
        self.buckets = buckets
    }

    /// Seconds of a call: the bounds of OpenTelemetry's `gen_ai.client.operation.duration`, and two more for long answers.
    package static let durationBuckets: [Double] = [
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68,
    ]

    /// Seconds to the first token: the bounds of OpenTelemetry's `gen_ai.server.time_to_first_token`, and three more for
    /// slow ones.
    package static let firstTokenBuckets: [Double] = [
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 60,
    ]

    /// Numbers of tokens: the bounds of OpenTelemetry's `gen_ai.client.token.usage`.
    package static let tokenBuckets: [Double] = [
        1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
    ]
}

// Reads the samples in Prometheus' text format (version 0.0.4; OpenMetrics does not differ in anything read here).

/// The text format of metrics.
package enum MetricsReader {
    /// One line with a value.
    package struct Sample: Sendable, Hashable {
        package var name: String
        package var labels: [String: String]
        package var value: Double

        /// Creates a sample.
        package init(name: String, labels: [String: String] = [:], value: Double) {
            self.name = name
            self.labels = labels
            self.value = value
        }
    }

    /// The most samples that are kept; an engine has a few dozen of each name.
    static let mostSamples = 10_000

    /// The samples with wanted names. Lines that are not well formed are skipped: what they would have said is not
    /// known, and the others are still true.
    package static func samples(in text: [UInt8], where isWanted: (String) -> Bool) -> [Sample] {
        var samples: [Sample] = []
        for line in text.split(whereSeparator: { $0 == UInt8(ascii: "\n") }) where samples.count < mostSamples {
            var reader = LineReader(rest: line)
            guard let name = reader.name(), isWanted(name), let sample = reader.sample(name) else { continue }
            samples.append(sample)
        }
        return samples
    }

    /// Reads one line from left to right.
    private struct LineReader {
        var rest: ArraySlice<UInt8>

        mutating func skipSpace() {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
        }

        mutating func accept(_ byte: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: byte) else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// The name of a metric or of a label; nil for comments and everything else.
        mutating func name() -> String? {
            skipSpace()
            let name = rest.prefix { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
                    true
                default: false
                }
            }
            guard !name.isEmpty else { return nil }
            rest = rest.dropFirst(name.count)
            return String(decoding: name, as: UTF8.self)
        }

        mutating func sample(_ name: String) -> Sample? {
            var labels: [String: String] = [:]
            if accept("{") {
                while true {
                    skipSpace()
                    if accept("}") { break }
                    guard let label = self.name(), accept("="), let value = quoted() else { return nil }
                    labels[label] = value
                    skipSpace()
                    if !accept(","), rest.first != UInt8(ascii: "}") { return nil }
                }
            }
            skipSpace()
            // A timestamp may follow the value.
            let digits = rest.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r") }
            guard let value = Self.number(String(decoding: digits, as: UTF8.self)) else { return nil }
            return Sample(name: name, labels: labels, value: value)
        }

        private mutating func quoted() -> String? {
            guard accept("\"") else { return nil }
            var text: [UInt8] = []
            while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
                case UInt8(ascii: "\\"):
                    guard let escaped = rest.popFirst() else { return nil }
                    text.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
                default: text.append(byte)
                }
            }
            return nil
        }

        private static func number(_ text: String) -> Double? {
            switch text {
            case "+Inf", "Inf": .infinity
            case "-Inf": -.infinity
            case "NaN": .nan
            default: Double(text)
            }
        }
    }
}

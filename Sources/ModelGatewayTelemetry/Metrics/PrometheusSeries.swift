// The numbers behind one combination of label values: counters, gauges and histograms out of atomics.

internal import CoreMetrics
internal import GatewayWire
internal import Synchronization

/// A number, or several, that can be written in Prometheus' text format.
protocol MetricSeries: AnyObject, Sendable {
    func render(name: String, labels: String, to output: inout [UInt8])
}

/// A double that many threads may add to.
final class AtomicDouble: Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func store(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    func add(_ amount: Double) {
        var current = bits.load(ordering: .relaxed)
        while true {
            let next = (Double(bitPattern: current) + amount).bitPattern
            let result = bits.weakCompareExchange(expected: current, desired: next, ordering: .relaxed)
            if result.exchanged { return }
            current = result.original
        }
    }
}

/// A number that only grows. Whole amounts are one atomic addition.
final class PrometheusCounter: CounterHandler, FloatingPointCounterHandler, MetricSeries {
    private let whole = Atomic<Int64>(0)
    private let fraction = AtomicDouble()

    func increment(by amount: Int64) {
        whole.wrappingAdd(amount, ordering: .relaxed)
    }

    func increment(by amount: Double) {
        guard amount.isFinite, amount > 0 else { return }
        fraction.add(amount)
    }

    func reset() {
        whole.store(0, ordering: .relaxed)
        fraction.store(0)
    }

    func render(name: String, labels: String, to output: inout [UInt8]) {
        let value = Double(whole.load(ordering: .relaxed)) + fraction.value
        PrometheusText.append(name, labels, value, to: &output)
    }
}

/// A number that goes up and down.
final class PrometheusGauge: MeterHandler, RecorderHandler, MetricSeries {
    private let value = AtomicDouble()

    func set(_ value: Int64) { self.value.store(Double(value)) }
    func set(_ value: Double) { self.value.store(value) }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }
    func record(_ value: Int64) { self.value.store(Double(value)) }
    func record(_ value: Double) { self.value.store(value) }

    func render(name: String, labels: String, to output: inout [UInt8]) {
        PrometheusText.append(name, labels, value.value, to: &output)
    }
}

/// How often values fell into each of some ranges. A value is two atomic additions.
final class PrometheusHistogram: TimerHandler, RecorderHandler, MetricSeries {
    private final class Bucket: Sendable {
        let count = Atomic<Int>(0)
    }

    private let bounds: [Double]
    private let buckets: [Bucket]
    private let nanoseconds = Atomic<Int64>(0)
    private let sum = AtomicDouble()

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Bucket() }
    }

    func recordNanoseconds(_ duration: Int64) {
        bucket(of: Double(duration) / 1e9).count.wrappingAdd(1, ordering: .relaxed)
        nanoseconds.wrappingAdd(duration, ordering: .relaxed)
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !value.isNaN else { return }
        bucket(of: value).count.wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    /// The first bucket whose bound is not less than the value; the last one has no bound.
    private func bucket(of value: Double) -> Bucket {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        return buckets[low]
    }

    func render(name: String, labels: String, to output: inout [UInt8]) {
        let separator = labels.isEmpty ? "" : ","
        var total = 0
        for (index, bucket) in buckets.enumerated() {
            total += bucket.count.load(ordering: .relaxed)
            let bound = index < bounds.count ? PrometheusText.number(bounds[index]) : "+Inf"
            PrometheusText.append("\(name)_bucket", "\(labels)\(separator)le=\"\(bound)\"", Double(total), to: &output)
        }
        let seconds = Double(nanoseconds.load(ordering: .relaxed)) / 1e9
        PrometheusText.append("\(name)_sum", labels, seconds + sum.value, to: &output)
        PrometheusText.append("\(name)_count", labels, Double(total), to: &output)
    }
}

/// The spelling of Prometheus' text format, version 0.0.4.
enum PrometheusText {
    /// A name with the characters that the format allows, and its customary ending.
    static func name(_ label: String, suffix: String = "") -> String {
        let name = sanitized(label, allowsColon: true)
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    /// The labels as they stand between the braces, sorted by name; the last of two with one name counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        guard !dimensions.isEmpty else { return "" }
        var values: [String: String] = [:]
        for (name, value) in dimensions {
            let name = sanitized(name, allowsColon: false)
            values[name == "le" ? "exported_le" : name] = value
        }
        return values.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value))\"" }.joined(separator: ",")
    }

    static func append(_ name: String, _ labels: String, _ value: Double, to output: inout [UInt8]) {
        output += name.utf8
        if !labels.isEmpty {
            output.append(UInt8(ascii: "{"))
            output += labels.utf8
            output.append(UInt8(ascii: "}"))
        }
        output.append(UInt8(ascii: " "))
        output += number(value).utf8
        output.append(UInt8(ascii: "\n"))
    }

    static func appendHelp(_ text: String, to output: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): output += "\\\\".utf8
            case UInt8(ascii: "\n"): output += "\\n".utf8
            default: output.append(byte)
            }
        }
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 9e15 { return "\(Int64(value))" }
        return "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private static func sanitized(_ name: String, allowsColon: Bool) -> String {
        var bytes: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                bytes.append(byte)
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if bytes.isEmpty { bytes.append(UInt8(ascii: "_")) }
                bytes.append(byte)
            case UInt8(ascii: ":") where allowsColon: bytes.append(byte)
            default: bytes.append(UInt8(ascii: "_"))
            }
        }
        return bytes.isEmpty ? "_" : String(decoding: bytes, as: UTF8.self)
    }
}

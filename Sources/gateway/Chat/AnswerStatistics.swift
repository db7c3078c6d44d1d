// How fast an answer came and what it used: what `--stats` shows.

import ModelGateway

/// The times of one answer.
struct AnswerStatistics: Sendable {
    private let start: MonotonicInstant
    private var first: MonotonicInstant?
    private var last: MonotonicInstant

    init(start: MonotonicInstant = .now) {
        self.start = start
        last = start
    }

    /// Notes that more of the answer came.
    mutating func received() {
        last = .now
        if first == nil { first = last }
    }

    /// One line for people.
    func summary(of usage: Usage?) -> String {
        var parts = ["time to first token \(Self.text(first.map { $0 - start })) s"]
        if let usage, let first {
            // The first token is what the clock starts at, so the others are what is measured.
            let seconds = (last - first) / .seconds(1)
            let tokens = usage.completionTokens - 1
            if tokens > 0, seconds > 0 { parts.append("\(Self.fixed(Double(tokens) / seconds, digits: 1)) tokens/s") }
        }
        if let usage {
            parts.append("\(usage.promptTokens) prompt + \(usage.completionTokens) completion tokens")
        } else {
            parts.append("usage unknown")
        }
        parts.append("total \(Self.text(last - start)) s")
        return parts.joined(separator: ", ")
    }

    private static func text(_ duration: Duration?) -> String {
        guard let duration else { return "–" }
        return fixed(duration / .seconds(1), digits: 3)
    }

    /// A number that is not negative, with a fixed number of decimal places.
    static func fixed(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (max(0, value) * scale).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let text = String(Int(scaled))
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        return "\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }
}

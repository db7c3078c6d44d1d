// What `gateway route explain` prints: a table for people, or one JSON object.

import ModelGateway

extension RoutingReport {
    /// One line with all of it.
    var line: String { String(decoding: json.serialized(), as: UTF8.self) + "\n" }

    var table: String {
        var text = "model    \(model)\npolicy   \(policy)\nmode     \(mode)\n"
        if let sessionKey { text += "session  \(sessionKey)\n" }
        if !tags.isEmpty { text += "tags     \(tags.joined(separator: ", "))\n" }
        text += "prompt   about \(estimatedTokens) tokens; "
        text += textBytes == 0 ? "the policy does not read it\n" : "the policy reads \(textBytes) B of it\n"
        if !candidates.isEmpty {
            let header = ["RANK", "DEPLOYMENT", "PRIORITY", "WEIGHT", "IN FLIGHT", "SCORE", "(WHAT IT IS)", "WORKER"]
            let hasWorkers = candidates.contains { $0.url != nil }
            let rows = ([header] + candidates.map(Self.row)).map { hasWorkers ? $0 : $0.dropLast() }
            text += "\n" + Self.columns(rows)
        }
        let excluded = excluded.map { [Self.name($0.deployment, $0.url), Self.reason($0)] }
        let others = excluded + absent.map { [Self.name($0.worker, $0.url), $0.reason] }
        if !others.isEmpty { text += "\n" + Self.columns([["NOT ELIGIBLE", "WHY"]] + others) }
        return text
    }

    private static func name(_ id: String, _ url: String?) -> String { url.map { "\(id) (\($0))" } ?? id }

    private static func row(_ candidate: Candidate) -> [String] {
        [
            "\(candidate.rank)", candidate.deployment, "\(candidate.priority)", number(candidate.weight),
            "\(candidate.callsInFlight)", number(candidate.score), candidate.scoreMeaning, candidate.url ?? "",
        ]
    }

    private static func reason(_ excluded: Excluded) -> String {
        let reasons = excluded.reasons.map(\.rawValue).joined(separator: ", ")
        guard let seconds = excluded.secondsUntilEligible else { return reasons }
        return "\(reasons); eligible again in \(AnswerStatistics.fixed(seconds, digits: 1)) s"
    }

    private static func number(_ value: Double?) -> String {
        guard let value else { return "-" }
        guard value >= 0 else { return "\(value)" }
        return value == value.rounded() && value < 1e15 ? "\(Int(value))" : AnswerStatistics.fixed(value, digits: 4)
    }

    private static func columns(_ rows: [[String]]) -> String {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

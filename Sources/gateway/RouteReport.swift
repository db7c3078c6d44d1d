// What `gateway route explain` prints: a table for people, or one JSON object.

import ModelGateway

/// An explanation, with the workers that have no part in it.
struct RouteReport {
    let explanation: RoutingExplanation
    /// Workers without a deployment of the model, and why they have none.
    private let absent: [(url: String, reason: String)]

    init(_ explanation: RoutingExplanation, workers: [Worker]) {
        self.explanation = explanation
        absent = workers.compactMap { worker in
            if let problem = worker.problem { return (worker.id, "does not answer: \(problem)") }
            if worker.state == .connecting { return (worker.id, "has not answered yet") }
            return worker.models.contains(explanation.model) ? nil : (worker.id, "does not offer the model")
        }
    }

    // MARK: For people

    var table: String {
        let input = explanation.input
        var text = "model    \(explanation.model)\npolicy   \(explanation.policy)\nmode     \(input.mode)\n"
        if let session = input.sessionKey { text += "session  \(session)\n" }
        if !input.tags.isEmpty { text += "tags     \(input.tags.joined(separator: ", "))\n" }
        text += "prompt   about \(input.estimatedTokens) tokens; "
        text += input.text.isEmpty ? "the policy does not read it\n" : "the policy reads \(input.text.count) B of it\n"
        if !explanation.candidates.isEmpty {
            let header = ["RANK", "DEPLOYMENT", "PRIORITY", "WEIGHT", "IN FLIGHT", "SCORE", "(WHAT IT IS)"]
            text += "\n" + Self.columns([header] + explanation.candidates.map(Self.row))
        }
        let excluded = explanation.excluded.map { [$0.id, Self.reason($0)] } + absent.map { [$0.url, $0.reason] }
        if !excluded.isEmpty { text += "\n" + Self.columns([["NOT ELIGIBLE", "WHY"]] + excluded) }
        return text
    }

    private static func row(_ candidate: RoutingExplanation.Candidate) -> [String] {
        [
            "\(candidate.rank)", candidate.id, "\(candidate.priority)", number(candidate.weight),
            "\(candidate.callsInFlight)", number(candidate.score), candidate.scoreMeaning,
        ]
    }

    private static func reason(_ excluded: RoutingExplanation.Excluded) -> String {
        let reasons = excluded.reasons.joined(separator: ", ")
        guard let time = excluded.timeUntilEligible else { return reasons }
        return "\(reasons); eligible again in \(AnswerStatistics.fixed(time / .seconds(1), digits: 1)) s"
    }

    private static func number(_ value: Double) -> String {
        guard value.isFinite, value >= 0 else { return "\(value)" }
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

    // MARK: For programs

    var json: String {
        let input = explanation.input
        let value: JSONValue = [
            "model": .string(explanation.model),
            "policy": .string(explanation.policy),
            "mode": .string(input.mode.rawValue),
            "session_key": input.sessionKey.map { .string($0) } ?? .null,
            "tags": .array(input.tags.map { .string($0) }),
            "estimated_tokens": .number(JSONNumber(input.estimatedTokens)),
            "text_bytes": .number(JSONNumber(input.text.count)),
            "candidates": .array(explanation.candidates.map(Self.object)),
            "not_eligible": .array(explanation.excluded.map(Self.object)),
            "workers_without_the_model": .array(
                absent.map { ["worker": .string($0.url), "reason": .string($0.reason)] }
            ),
        ]
        return String(decoding: value.serialized(), as: UTF8.self) + "\n"
    }

    private static func object(_ candidate: RoutingExplanation.Candidate) -> JSONValue {
        [
            "deployment": .string(candidate.id),
            "rank": .number(JSONNumber(candidate.rank)),
            "score": JSONNumber(candidate.score).map { .number($0) } ?? .null,
            "score_meaning": .string(candidate.scoreMeaning),
            "calls_in_flight": .number(JSONNumber(candidate.callsInFlight)),
            "weight": JSONNumber(candidate.weight).map { .number($0) } ?? .null,
            "priority": .number(JSONNumber(candidate.priority)),
        ]
    }

    private static func object(_ excluded: RoutingExplanation.Excluded) -> JSONValue {
        let seconds = excluded.timeUntilEligible.flatMap { JSONNumber($0 / .seconds(1)) }
        return [
            "deployment": .string(excluded.id),
            "reasons": .array(excluded.reasons.map { .string($0) }),
            "seconds_until_eligible": seconds.map { .number($0) } ?? .null,
        ]
    }
}

// An explanation of routing as it is shown and sent: with workers' addresses, and the workers that play no part in it.

/// What `gateway route explain` and `POST /admin/explain` answer.
package struct RoutingReport: Sendable, Hashable {
    /// A deployment that may take the call.
    package struct Candidate: Sendable, Hashable {
        package var deployment: String
        package var rank: Int
        /// Nil if the policy has no number for it, or an infinite one.
        package var score: Double?
        package var scoreMeaning: String
        package var callsInFlight: Int
        package var weight: Double?
        package var priority: Int
        /// Where it is, if it is a worker's.
        package var url: String?
    }

    /// A deployment that may not take the call.
    package struct Excluded: Sendable, Hashable {
        package var deployment: String
        package var reasons: [IneligibilityReason]
        package var secondsUntilEligible: Double?
        package var url: String?
    }

    /// A worker without a deployment of the model.
    package struct Absent: Sendable, Hashable {
        package var worker: String
        package var url: String
        package var reason: String
    }

    package var model: String
    package var policy: String
    package var mode: String
    package var sessionKey: String?
    package var tags: [String]
    package var estimatedTokens: Int
    package var textBytes: Int
    package var candidates: [Candidate]
    package var excluded: [Excluded]
    package var absent: [Absent]

    /// - Parameter workers: All workers of the gateway.
    package init(_ explanation: RoutingExplanation, workers: [Worker]) {
        var urls: [String: String] = [:]
        for worker in workers {
            for status in worker.deployments { urls[status.deployment.id] = worker.url }
        }
        model = explanation.model
        policy = explanation.policy
        mode = explanation.input.mode.rawValue
        sessionKey = explanation.input.sessionKey
        tags = explanation.input.tags
        estimatedTokens = explanation.input.estimatedTokens
        textBytes = explanation.input.text.count
        candidates = explanation.candidates.map { candidate in
            Candidate(
                deployment: candidate.id,
                rank: candidate.rank,
                score: candidate.score.isFinite ? candidate.score : nil,
                scoreMeaning: candidate.scoreMeaning,
                callsInFlight: candidate.callsInFlight,
                weight: candidate.weight.isFinite ? candidate.weight : nil,
                priority: candidate.priority,
                url: urls[candidate.id]
            )
        }
        excluded = explanation.excluded.map { excluded in
            Excluded(
                deployment: excluded.id,
                reasons: excluded.reasons,
                secondsUntilEligible: excluded.timeUntilEligible.map { $0 / .seconds(1) },
                url: urls[excluded.id]
            )
        }
        let model = model
        absent = workers.compactMap { worker in
            let reason: String
            if let problem = worker.problem {
                reason = "does not answer: \(problem)"
            } else if worker.state == .connecting {
                reason = "has not answered yet"
            } else if !worker.models.contains(model) {
                reason = "does not offer the model"
            } else {
                return nil
            }
            return Absent(worker: worker.id, url: worker.url, reason: reason)
        }
    }
}

// MARK: - As JSON

extension RoutingReport {
    /// The whole report as one object.
    package var json: JSONValue {
        [
            "model": .string(model),
            "policy": .string(policy),
            "mode": .string(mode),
            "session_key": .text(sessionKey),
            "tags": .array(tags.map { .string($0) }),
            "estimated_tokens": .number(JSONNumber(estimatedTokens)),
            "text_bytes": .number(JSONNumber(textBytes)),
            "candidates": .array(
                candidates.map { candidate in
                    [
                        "deployment": .string(candidate.deployment),
                        "url": .text(candidate.url),
                        "rank": .number(JSONNumber(candidate.rank)),
                        "score": .double(candidate.score),
                        "score_meaning": .string(candidate.scoreMeaning),
                        "calls_in_flight": .number(JSONNumber(candidate.callsInFlight)),
                        "weight": .double(candidate.weight),
                        "priority": .number(JSONNumber(candidate.priority)),
                    ]
                }
            ),
            "not_eligible": .array(
                excluded.map { excluded in
                    [
                        "deployment": .string(excluded.deployment),
                        "url": .text(excluded.url),
                        "reasons": .array(excluded.reasons.map { .string($0.rawValue) }),
                        "seconds_until_eligible": .double(excluded.secondsUntilEligible),
                    ]
                }
            ),
            "workers_without_the_model": .array(
                absent.map { absent in
                    ["worker": .string(absent.worker), "url": .string(absent.url), "reason": .string(absent.reason)]
                }
            ),
        ]
    }

    /// Reads what ``json`` has written; nil for anything else.
    package init?(json: JSONValue) {
        guard let model = json["model"]?.string, let policy = json["policy"]?.string, let mode = json["mode"]?.string,
            let candidates = json["candidates"]?.array, let excluded = json["not_eligible"]?.array
        else { return nil }
        self.model = model
        self.policy = policy
        self.mode = mode
        sessionKey = json["session_key"]?.string
        tags = json["tags"]?.array?.compactMap(\.string) ?? []
        estimatedTokens = json["estimated_tokens"]?.int ?? 0
        textBytes = json["text_bytes"]?.int ?? 0
        self.candidates = candidates.map { candidate in
            Candidate(
                deployment: candidate["deployment"]?.string ?? "",
                rank: candidate["rank"]?.int ?? 0,
                score: candidate["score"]?.double,
                scoreMeaning: candidate["score_meaning"]?.string ?? "",
                callsInFlight: candidate["calls_in_flight"]?.int ?? 0,
                weight: candidate["weight"]?.double,
                priority: candidate["priority"]?.int ?? 0,
                url: candidate["url"]?.string
            )
        }
        self.excluded = excluded.map { excluded in
            Excluded(
                deployment: excluded["deployment"]?.string ?? "",
                reasons: (excluded["reasons"]?.array ?? []).compactMap {
                    $0.string.map(IneligibilityReason.init(rawValue:))
                },
                secondsUntilEligible: excluded["seconds_until_eligible"]?.double,
                url: excluded["url"]?.string
            )
        }
        absent = (json["workers_without_the_model"]?.array ?? []).map { absent in
            Absent(
                worker: absent["worker"]?.string ?? "",
                url: absent["url"]?.string ?? "",
                reason: absent["reason"]?.string ?? ""
            )
        }
    }
}

extension JSONValue {
    fileprivate static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    fileprivate static func double(_ value: Double?) -> JSONValue {
        value.flatMap { JSONNumber($0) }.map { .number($0) } ?? .null
    }
}

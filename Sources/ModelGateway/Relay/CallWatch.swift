// What follows one call besides the observer: the logger that the program gave it, and its trace.

internal import Logging

/// Follows one call. There is none for a call that has neither a logger that would write anything nor a trace.
final class CallWatch: Sendable {
    private let logger: Logger?
    private let trace: (any CallTrace)?

    /// - Parameters:
    ///   - call: The call, which starts.
    ///   - logger: The program's, if it gave the call one.
    ///   - tracer: The observer's, if it has one.
    init?(_ call: @autoclosure () -> CallStart, logger: Logger?, tracer: (any CallTracer)?) {
        // Above this level, nothing of a call is written.
        let isLogged = logger.map { $0.logLevel <= .warning } ?? false
        guard isLogged || tracer != nil else { return nil }
        let call = call()
        trace = tracer?.callStarted(call)
        guard isLogged, var logger else {
            self.logger = nil
            if trace == nil { return nil }
            return
        }
        logger[metadataKey: "request_id"] = .string(call.requestID)
        logger[metadataKey: "model"] = .string(call.model)
        self.logger = logger
    }

    /// An attempt starts.
    func attemptStarted(_ attempt: AttemptStart) -> AttemptWatch {
        logger?.debug("The attempt starts.", metadata: Self.metadata(of: attempt))
        return AttemptWatch(call: self, attempt: attempt, trace: trace?.attemptStarted(attempt))
    }

    /// Something failed, and something else is tried.
    /// - Parameter attempt: What failed; nil if no deployment took the call.
    func continues(_ decision: RetryDecision, after error: GatewayError, _ attempt: AttemptWatch?) {
        guard let logger else { return }
        var metadata = attempt.map { Self.metadata(of: $0.attempt) } ?? [:]
        metadata["error"] = .string(error.code.rawValue)
        metadata["reason"] = .string(error.message)
        switch decision {
        case .stop: return
        case .retry(let delay):
            if delay > .zero { metadata["delay"] = .string("\(delay)") }
            logger.notice("The attempt failed; there will be another.", metadata: metadata)
        case .fallback(let models):
            metadata["fallback"] = .string(models.joined(separator: ", "))
            logger.notice("The call falls back to another model.", metadata: metadata)
        }
    }

    /// The call is over.
    func finished(_ record: CallRecord, error: GatewayError?) {
        trace?.callFinished(record, error: error)
        guard let logger else { return }
        switch error {
        case nil: logger.info("The call is complete.", metadata: Self.metadata(of: record))
        case .some(let error) where error.code == .cancelled:
            logger.info("The call was cancelled.", metadata: Self.metadata(of: record))
        case .some(let error):
            var metadata = Self.metadata(of: record)
            metadata["error"] = .string(error.code.rawValue)
            metadata["reason"] = .string(error.message)
            logger.warning("The call failed.", metadata: metadata)
        }
    }

    private static func metadata(of attempt: AttemptStart) -> Logger.Metadata {
        [
            "attempt": .string("\(attempt.number)"), "deployment": .string(attempt.deployment),
            "provider": .string(attempt.provider),
        ]
    }

    private static func metadata(of record: CallRecord) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "attempts": .string("\(record.attempts)"), "duration": .string("\(record.duration)"),
        ]
        if let deployment = record.deployment { metadata["deployment"] = .string(deployment) }
        if let first = record.timeToFirstToken { metadata["ttft"] = .string("\(first)") }
        if let usage = record.usage {
            metadata["input_tokens"] = .string("\(usage.promptTokens)")
            metadata["output_tokens"] = .string("\(usage.completionTokens)")
        }
        return metadata
    }
}

extension AttemptStart {
    /// What is known of an attempt on a deployment.
    init(_ deployment: Deployment, number: Int) {
        let url = deployment.provider.address.flatMap { try? BaseURL($0) }
        self.init(
            number: number,
            deployment: deployment.id,
            provider: deployment.provider.name,
            upstreamModel: deployment.upstreamModel,
            serverAddress: url?.host,
            serverPort: url?.port
        )
    }
}

/// Follows one attempt of a call that is followed.
final class AttemptWatch: Sendable {
    let call: CallWatch
    let attempt: AttemptStart
    private let trace: (any AttemptTrace)?

    init(call: CallWatch, attempt: AttemptStart, trace: (any AttemptTrace)?) {
        self.call = call
        self.attempt = attempt
        self.trace = trace
    }

    /// The header lines of a call, with those of the trace.
    func headers(_ lines: [HTTPHeader]) -> [HTTPHeader] {
        guard let own = trace?.headers, !own.isEmpty else { return lines }
        return lines.filter { line in !own.contains { $0.isNamed(line.name) } } + own
    }

    /// The attempt is over.
    func finished(error: GatewayError?) {
        trace?.attemptFinished(error: error)
    }
}

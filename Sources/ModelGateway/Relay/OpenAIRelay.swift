// One attempt for a client of OpenAI's format: bytes through where the provider speaks it too, translated elsewhere.

import GatewaySystem
import GatewayWire

/// Answers one request of OpenAI's format from one deployment. A class, because each attempt's steps hold it.
final class OpenAIRelay: Sendable {
    private let request: WireRequest
    private let facts: OpenAIRequestFacts

    init(request: WireRequest, facts: OpenAIRequestFacts) {
        self.request = request
        self.facts = facts
    }

    /// Makes one attempt. Returns once there is something to send to the client.
    func attempt(_ attempt: AttemptLoop.Attempt) async throws(GatewayError) -> WireResponse {
        if let relaying = attempt.lease.relaying, relaying.relays(.openAI, mode: request.mode) {
            return try await passThrough(relaying, attempt)
        }
        let provider = attempt.lease.deployment.provider
        switch request.mode {
        case .chat: return try await chat(provider, attempt)
        case .completion: return try await completion(provider, attempt)
        default: return try await embedding(provider, attempt)
        }
    }

    // MARK: - Pass-through

    private func passThrough(
        _ provider: any RelayingProvider,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let isStreamed = facts.stream && request.mode != .embedding
        let response = try await provider.relay(
            mode: request.mode,
            context: attempt.context,
            asksForUsage: isStreamed && provider.reportsStreamUsage && !facts.includeUsage
        ) {
            facts.rewritten(request.body, model: attempt.context.upstreamModel, asksForUsage: $0)
        }
        attempt.settlement.accepted()
        let upstream = UpstreamHeaders.forClient(response.headers, requestID: request.requestID)
        let answer = try await response.opened()
        switch (isStreamed, answer.form) {
        case (true, .events): return try await stream(answer, upstream, attempt)
        case (false, .json): return try await whole(answer, upstream, attempt)
        case (true, .json):
            let chunks = try OpenAIAnswerChunks(try await answer.json(), isChat: isChat, head: answerHead)
            return try await stream(OpenedAnswer(replaying: chunks.events), upstream, attempt)
        case (false, .events):
            let answer = try await answer.assembled()
            let bytes = answer.answer(isChat: isChat, head: answerHead).serialized()
            return finish(bytes, usage: answer.usage, upstream, attempt)
        }
    }

    private func stream(
        _ answer: OpenedAnswer,
        _ upstream: [HTTPHeader],
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let relay = RelayStream(answer, stripsUsage: !facts.includeUsage, call: attempt.settlement)
        try await relay.prime()
        let headers = Self.streamHeaders + headers(of: attempt) + upstream
        return WireResponse(status: 200, headers: headers, body: .stream(relay))
    }

    private func whole(
        _ answer: OpenedAnswer,
        _ upstream: [HTTPHeader],
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let (bytes, facts) = try OpenAIResponseFacts.reading(
            try await answer.wholeBody(),
            mode: request.mode,
            mayBeEmpty: hasNoInput
        )
        return finish(bytes, usage: facts.usage, upstream, attempt)
    }

    /// Whether the request asks for the vectors of nothing, which an empty answer is right for.
    private var hasNoInput: Bool {
        guard request.mode == .embedding, let json = try? JSONValue(parsing: request.body) else { return false }
        return json["input"]?.array?.isEmpty == true
    }

    // MARK: - Translation

    private func chat(
        _ provider: any Provider,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let decoded = try OpenAIChatRequest(decoding: try JSONValue(parsing: request.body))
        let source = try await provider.chat(decoded.request, context: attempt.context)
        attempt.settlement.accepted()
        return try await answer(source, decoded.delivery, attempt)
    }

    private func completion(
        _ provider: any Provider,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let decoded = try OpenAICompletionRequest(decoding: try JSONValue(parsing: request.body))
        let source = try await provider.complete(decoded.request, context: attempt.context)
        attempt.settlement.accepted()
        return try await answer(source, decoded.delivery, attempt)
    }

    private func embedding(
        _ provider: any Provider,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let decoded = try OpenAIEmbeddingRequest(decoding: try JSONValue(parsing: request.body))
        let response = try await provider.embed(decoded.request, context: attempt.context)
        attempt.settlement.accepted()
        return finish(response.openAI(encoding: decoded.encoding), usage: response.usage, [], attempt)
    }

    private func answer(
        _ source: any ChatEventSource,
        _ delivery: OpenAIDelivery,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        delivery.stream
            ? try await stream(source, attempt, includeUsage: delivery.includeUsage)
            : try await whole(source, attempt)
    }

    private func stream(
        _ source: any ChatEventSource,
        _ attempt: AttemptLoop.Attempt,
        includeUsage: Bool
    ) async throws(GatewayError) -> WireResponse {
        let encoder = OpenAIStreamEncoder(
            kind: isChat ? .chat : .completion,
            head: answerHead,
            includeUsage: includeUsage
        )
        let stream = TranslatedStream(source: source, encoder: encoder, call: attempt.settlement)
        try await stream.prime()
        return WireResponse(status: 200, headers: Self.streamHeaders + headers(of: attempt), body: .stream(stream))
    }

    private func whole(
        _ source: any ChatEventSource,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        var response = try await ChatStream(source).collect()
        guard !response.choices.isEmpty else { throw .emptyAnswer }
        let head = answerHead
        if response.created == 0 { response.created = head.created }
        if response.id.isEmpty { response.id = head.id }
        if response.model.isEmpty { response.model = head.model }
        let json = isChat ? response.openAIChat : response.openAICompletion
        return finish(json.serialized(), usage: response.usage, [], attempt)
    }

    // MARK: - Heads

    private var isChat: Bool { request.mode == .chat }

    /// What the head of an answer says where the provider says nothing.
    private var answerHead: OpenAIAnswerHead {
        OpenAIAnswerHead(
            id: RandomID.make(prefix: isChat ? "chatcmpl-" : "cmpl-"),
            created: WallClock.unixSeconds(),
            model: facts.model
        )
    }

    private func finish(
        _ body: [UInt8],
        usage: Usage?,
        _ upstream: [HTTPHeader],
        _ attempt: AttemptLoop.Attempt
    ) -> WireResponse {
        attempt.settlement.settle(.success, usage: usage)
        let headers = Self.jsonHeaders + headers(of: attempt) + upstream
        return WireResponse(status: 200, headers: headers, body: .bytes(body))
    }

    private static let jsonHeaders = [HTTPHeader("content-type", "application/json")]

    /// Nothing between here and the client may hold a stream back or keep it.
    private static let streamHeaders = [
        HTTPHeader("content-type", "text/event-stream"),
        HTTPHeader("cache-control", "no-store"),
        HTTPHeader("x-accel-buffering", "no"),
    ]

    private func headers(of attempt: AttemptLoop.Attempt) -> [HTTPHeader] {
        let attempts = HTTPHeader("x-gateway-attempts", String(attempt.number))
        guard request.caller == .admin else { return [attempts] }
        return [HTTPHeader("x-gateway-deployment", attempt.lease.deployment.id), attempts]
    }
}

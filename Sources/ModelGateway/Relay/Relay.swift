// One attempt for a client of a wire format: bytes through where the provider speaks it too, translated elsewhere.

import GatewayWire
import Synchronization

/// Answers one request of a client from one deployment. A class, because each attempt's steps hold it.
final class Relay: Sendable {
    private let request: WireRequest
    private let format: any Format
    private let facts: any CallFacts
    /// The request in the neutral vocabulary, once an attempt has needed it.
    private let decoded = Lock<ClientCall?>(nil)

    init(request: WireRequest, format: any Format, facts: any CallFacts) {
        self.request = request
        self.format = format
        self.facts = facts
    }

    /// Makes one attempt. Returns once there is something to send to the client.
    func attempt(_ attempt: AttemptLoop.Attempt) async throws(GatewayError) -> WireResponse {
        if let relaying = attempt.lease.relaying, relaying.relays(format.name, mode: request.mode) {
            return try await passThrough(relaying, attempt)
        }
        return try await translate(attempt)
    }

    // MARK: - Pass-through

    private func passThrough(
        _ provider: any RelayingProvider,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let response = try await provider.relay(
            mode: request.mode,
            context: attempt.context,
            asksForUsage: facts.isStreamed && provider.reportsStreamUsage && !facts.wantsStreamUsage
        ) {
            facts.rewritten(request.body, model: attempt.context.upstreamModel, asksForUsage: $0)
        }
        attempt.settlement.accepted()
        let upstream = UpstreamHeaders.forClient(response.headers, requestID: request.requestID)
        let answer = try await response.opened()
        switch (facts.isStreamed, answer.form) {
        case (true, .events): return try await stream(answer, upstream, attempt)
        case (false, .json): return try await whole(answer, upstream, attempt)
        case (true, .json):
            let events = try format.stream(of: try await answer.json(), at: request.endpoint, head: answerHead)
            return try await stream(OpenedAnswer(replaying: events), upstream, attempt)
        case (false, .events):
            var assembly = format.assembly(at: request.endpoint)
            try await answer.assemble(into: &assembly)
            return finish(assembly.body(head: answerHead), usage: assembly.usage, upstream, attempt)
        }
    }

    private func stream(
        _ answer: OpenedAnswer,
        _ upstream: [HTTPHeader],
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let relay = RelayStream(
            answer,
            format,
            at: request.endpoint,
            stripsUsage: !facts.wantsStreamUsage,
            call: attempt.settlement
        )
        try await relay.prime()
        let headers = format.framing.headers + headers(of: attempt) + upstream
        return WireResponse(status: 200, headers: headers, body: .stream(relay))
    }

    private func whole(
        _ answer: OpenedAnswer,
        _ upstream: [HTTPHeader],
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let (bytes, usage) = try format.checked(try await answer.wholeBody(), at: request.endpoint) {
            facts.asksForNothing(in: request.body)
        }
        return finish(bytes, usage: usage, upstream, attempt)
    }

    // MARK: - Translation

    private func translate(_ attempt: AttemptLoop.Attempt) async throws(GatewayError) -> WireResponse {
        let provider = attempt.lease.deployment.provider
        let call = try decode()
        let source: any ChatEventSource
        switch call.work {
        case .chat(let chat): source = try await provider.chat(chat, context: attempt.context)
        case .completion(let completion): source = try await provider.complete(completion, context: attempt.context)
        case .embedding(let embedding):
            let response = try await provider.embed(embedding, context: attempt.context)
            attempt.settlement.accepted()
            let body = format.body(of: response, to: call, at: request.endpoint)
            return finish(body, usage: response.usage, [], attempt)
        }
        attempt.settlement.accepted()
        return try await call.delivery.isStreamed ? stream(source, call, attempt) : whole(source, call, attempt)
    }

    /// Reads the request once for all attempts.
    private func decode() throws(GatewayError) -> ClientCall {
        if let call = decoded.withLock({ $0 }) { return call }
        let call = try format.call(of: request.body, at: request.endpoint)
        decoded.withLock { $0 = call }
        return call
    }

    private func stream(
        _ source: any ChatEventSource,
        _ call: ClientCall,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        let events = try await SettledEvents.primed(source, call: attempt.settlement)
        let encoder = format.encoder(for: call.delivery, at: request.endpoint, head: answerHead)
        let stream = TranslatedStream(events, encoder: encoder, format)
        return WireResponse(
            status: 200,
            headers: format.framing.headers + headers(of: attempt),
            body: .stream(stream)
        )
    }

    private func whole(
        _ source: any ChatEventSource,
        _ call: ClientCall,
        _ attempt: AttemptLoop.Attempt
    ) async throws(GatewayError) -> WireResponse {
        var response = try await ChatStream(source).collect()
        guard !response.choices.isEmpty else { throw .emptyAnswer }
        let head = answerHead
        if response.created == 0 { response.created = head.created }
        if response.id.isEmpty { response.id = head.id }
        if response.model.isEmpty { response.model = head.model }
        let body = format.body(of: response, to: call, at: request.endpoint)
        return finish(body, usage: response.usage, [], attempt)
    }

    // MARK: - Heads

    /// What the head of an answer says where the provider says nothing.
    private var answerHead: AnswerHead { format.answerHead(model: facts.model, at: request.endpoint) }

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

    private func headers(of attempt: AttemptLoop.Attempt) -> [HTTPHeader] {
        let attempts = HTTPHeader("x-gateway-attempts", String(attempt.number))
        guard request.caller == .admin else { return [attempts] }
        return [HTTPHeader("x-gateway-deployment", attempt.lease.deployment.id), attempts]
    }
}

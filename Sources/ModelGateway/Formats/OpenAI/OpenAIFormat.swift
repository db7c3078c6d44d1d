// OpenAI's API of conversations, raw texts and vectors, as OpenAI itself and most self-hosted engines speak it.
//
// https://platform.openai.com/docs/api-reference/chat, …/completions and …/embeddings.

import GatewaySystem
import GatewayWire

/// OpenAI's chat completions, completions and embeddings.
package struct OpenAIFormat: Format {
    package let name = WireFormat.openAI
    package let endpoints = [Endpoint.openAIChat, .openAICompletions, .openAIEmbeddings]
    package let framing = StreamFraming.events(endMark: Array("data: [DONE]\n\n".utf8))

    package init() {}

    package func goesUpstream(_ header: HTTPHeader) -> Bool { header.name.startsIgnoringCase(with: "openai-") }

    // MARK: Requests

    package func facts(of body: [UInt8], at endpoint: Endpoint) throws(GatewayError) -> any CallFacts {
        var facts = try OpenAIRequestFacts(body)
        // Vectors come whole, whatever the request says.
        if endpoint.mode == .embedding { facts.isStreamed = false }
        return facts
    }

    package func call(of body: [UInt8], at endpoint: Endpoint) throws(GatewayError) -> ClientCall {
        let json = try JSONValue(parsing: body)
        switch endpoint.mode {
        case .chat:
            let decoded = try OpenAIChatRequest(decoding: json)
            return ClientCall(.chat(decoded.request), delivery: decoded.delivery)
        case .completion:
            let decoded = try OpenAICompletionRequest(decoding: json)
            return ClientCall(.completion(decoded.request), delivery: decoded.delivery)
        case .embedding:
            let decoded = try OpenAIEmbeddingRequest(decoding: json)
            return ClientCall(.embedding(decoded.request), delivery: Delivery(vectors: decoded.encoding))
        default:
            throw GatewayError(.unsupported, "The format \(name) has no requests for \(endpoint.mode).")
        }
    }

    // MARK: Answers that pass through

    package func checked(
        _ answer: [UInt8],
        at endpoint: Endpoint,
        mayBeEmpty: () -> Bool
    ) throws(GatewayError) -> (body: [UInt8], usage: Usage?) {
        let (body, facts) = try OpenAIResponseFacts.reading(answer, mode: endpoint.mode, mayBeEmpty: mayBeEmpty())
        return (body, facts.usage)
    }

    package func stream(
        of answer: JSONValue,
        at endpoint: Endpoint,
        head: AnswerHead
    ) throws(GatewayError) -> [UInt8] {
        try OpenAIAnswerChunks(answer, isChat: endpoint.mode == .chat, head: head).events
    }

    package func assembly(at endpoint: Endpoint) -> any AnswerAssembly {
        OpenAIStreamAssembly(isChat: endpoint.mode == .chat)
    }

    package func inspector(at endpoint: Endpoint) -> any EventInspector { OpenAIEventInspector() }

    // MARK: Answers that are written

    package func body(of response: ChatResponse, to call: ClientCall, at endpoint: Endpoint) -> [UInt8] {
        (endpoint.mode == .chat ? response.openAIChat : response.openAICompletion).serialized()
    }

    package func body(of response: EmbeddingResponse, to call: ClientCall, at endpoint: Endpoint) -> [UInt8] {
        response.openAI(encoding: call.delivery.vectors)
    }

    package func encoder(for delivery: Delivery, at endpoint: Endpoint, head: AnswerHead) -> any StreamEncoder {
        OpenAIStreamEncoder(
            kind: endpoint.mode == .chat ? .chat : .completion,
            head: head,
            includeUsage: delivery.includesUsage
        )
    }

    package func answerHead(model: String, at endpoint: Endpoint) -> AnswerHead {
        AnswerHead(
            id: RandomID.make(prefix: endpoint.mode == .chat ? "chatcmpl-" : "cmpl-"),
            created: WallClock.unixSeconds(),
            model: model
        )
    }

    // MARK: Errors

    package func body(of error: GatewayError) -> [UInt8] { OpenAIErrorFields(error).json }

    package func event(of error: GatewayError) -> [UInt8] {
        var event: [UInt8] = []
        SSEWriter.append(data: body(of: error), to: &event)
        return event
    }
}

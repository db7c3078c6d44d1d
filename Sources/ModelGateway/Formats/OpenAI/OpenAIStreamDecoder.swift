// Reads a streamed chat completion or completion of OpenAI's format: bytes in at any partition, events out.

import GatewayWire

/// Turns the bytes of a provider's event stream into ``ChatEvent``s.
package struct OpenAIStreamDecoder {
    private var parser = SSEParser()
    private var started = false
    private var toolCallsSeen: Set<Int> = []
    private var finished: Set<Int> = []
    private var choicesSeen: Set<Int> = []
    /// Whether the stream said `[DONE]`; what follows is ignored.
    package private(set) var isDone = false
    private var brokenEvents = 0

    package init() {}

    /// Whether the answer is complete: every choice that began has finished.
    package var isComplete: Bool { !finished.isEmpty && choicesSeen.isSubset(of: finished) }

    /// Takes in more bytes and returns the events that they complete.
    /// - Throws: The provider's own error if the stream carries one; ``GatewayError/Code/malformedResponse`` if an event
    ///   is larger than 8 MiB or more than 16 events are not JSON.
    package mutating func feed(_ bytes: [UInt8]) throws(GatewayError) -> [ChatEvent] {
        var events: [ChatEvent] = []
        var payloads: [[UInt8]] = []
        var failure: GatewayError?
        do {
            try parser.feed(bytes) { event in
                guard let data = event.data, failure == nil else { return }
                if event.name.equals("error") {
                    failure = GatewayError(openAIErrorEvent: Array(data))
                } else {
                    payloads.append(Array(data))
                }
            }
        } catch {
            throw GatewayError(
                .malformedResponse,
                "The provider's event stream cannot be read: \(error).",
                requestWasSent: true
            )
        }
        for payload in payloads where !isDone && !payload.isEmpty {
            try decode(payload, into: &events)
        }
        if let failure, !isDone { throw failure }
        return events
    }

    private mutating func decode(_ payload: [UInt8], into events: inout [ChatEvent]) throws(GatewayError) {
        if payload.elementsEqual("[DONE]".utf8) {
            isDone = true
            return
        }
        guard let json = try? JSONValue(parsing: payload) else {
            brokenEvents += 1
            if brokenEvents > 16 {
                throw GatewayError(.malformedResponse, "The provider's events are not JSON.", requestWasSent: true)
            }
            return
        }
        if let error = GatewayError(openAIEvent: json) { throw error }
        if !started {
            started = true
            events.append(.started(id: json["id"]?.string ?? "", model: json["model"]?.string ?? ""))
        }
        for choice in json["choices"]?.array ?? [] { decode(choice: choice, into: &events) }
        if let usage = json["usage"].flatMap(Usage.init(openAI:)) { events.append(.usage(usage)) }
    }

    private mutating func decode(choice json: JSONValue, into events: inout [ChatEvent]) {
        let choice = json["index"]?.int ?? 0
        choicesSeen.insert(choice)
        let delta = json["delta"] ?? .null
        func text(_ value: JSONValue?) -> String? { value?.string.flatMap { $0.isEmpty ? nil : $0 } }
        if let text = text(delta["reasoning_content"]) ?? text(delta["reasoning"]) {
            events.append(.reasoning(text, choice: choice))
        }
        if let text = text(delta["content"]) ?? text(json["text"]) { events.append(.text(text, choice: choice)) }
        if let text = text(delta["refusal"]) { events.append(.refusal(text, choice: choice)) }
        for (position, call) in (delta["tool_calls"]?.array ?? []).enumerated() {
            toolCallsSeen.insert(choice)
            events.append(.toolCall(ToolCallDelta(openAI: call, position: position), choice: choice))
        }
        if let reason = text(json["finish_reason"]), finished.insert(choice).inserted {
            let reason = FinishReason(openAI: reason, hasToolCalls: toolCallsSeen.contains(choice))
            events.append(.finished(reason, choice: choice))
        }
    }
}

extension ToolCallDelta {
    fileprivate init(openAI json: JSONValue, position: Int) {
        let arguments = json["function"]?["arguments"]
        let text =
            arguments?.string
            ?? arguments?.object.map { String(decoding: JSONValue.object($0).serialized(), as: UTF8.self) }
        self.init(
            index: json["index"]?.int ?? position,
            id: json["id"]?.string,
            name: json["function"]?["name"]?.string,
            arguments: text ?? ""
        )
    }
}

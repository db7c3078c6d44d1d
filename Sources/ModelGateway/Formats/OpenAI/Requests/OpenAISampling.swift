// Sampling parameters in OpenAI's format, with the ranges that its servers accept.

extension Sampling {
    /// The members of a request that this type has a place for.
    package static let openAINames: Set<String> = [
        "temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed",
        "logit_bias", "stop", "max_tokens", "max_completion_tokens", "n",
    ]

    package init(openAI body: RequestField) throws(GatewayError) {
        self.init(
            temperature: try body["temperature"].present?.double(0...2),
            topP: try body["top_p"].present?.double(0...1),
            topK: try body["top_k"].present?.int(-1...Int.max),
            minP: try body["min_p"].present?.double(0...1),
            frequencyPenalty: try body["frequency_penalty"].present?.double(-2...2),
            presencePenalty: try body["presence_penalty"].present?.double(-2...2),
            repetitionPenalty: try body["repetition_penalty"].present?.double(0.01...Double.greatestFiniteMagnitude),
            seed: try body["seed"].present?.int(),
            logitBias: try Self.logitBias(body["logit_bias"]),
            stop: try Self.stop(body["stop"]),
            maxTokens: try (body["max_completion_tokens"].present ?? body["max_tokens"].present)?.int(1...Int.max),
            choices: try body["n"].present?.int(1...128)
        )
    }

    private static func logitBias(_ field: RequestField) throws(GatewayError) -> [Int: Double] {
        guard let field = field.present else { return [:] }
        var biases: [Int: Double] = [:]
        for member in try field.members() {
            guard let token = Int(member.name), token >= 0 else {
                throw field.invalid("must have token ids as its keys, but has '\(member.name.prefix(40))'.")
            }
            biases[token] = try field[member.name].double(-100...100)
        }
        return biases
    }

    private static func stop(_ field: RequestField) throws(GatewayError) -> [String] {
        switch field.value {
        case .null: return []
        case .string(let text): return [text]
        default:
            var stops: [String] = []
            for element in try field.elements() { stops.append(try element.string()) }
            return stops
        }
    }

    /// Writes what is set.
    /// - Parameter limit: How the server wants the longest answer spelled.
    package func appendOpenAI(to members: inout [JSONMember], limit: TokenLimitField = .maxTokens) {
        func number(_ value: Double?) -> JSONValue? { value.flatMap(JSONNumber.init).map(JSONValue.number) }
        func number(_ value: Int?) -> JSONValue? { value.map { .number(JSONNumber($0)) } }
        members.append("temperature", number(temperature))
        members.append("top_p", number(topP))
        members.append("top_k", number(topK))
        members.append("min_p", number(minP))
        members.append("frequency_penalty", number(frequencyPenalty))
        members.append("presence_penalty", number(presencePenalty))
        members.append("repetition_penalty", number(repetitionPenalty))
        members.append("seed", number(seed))
        if !logitBias.isEmpty {
            let biases = logitBias.sorted { $0.key < $1.key }
            members.append("logit_bias", .object(biases.map { JSONMember(String($0.key), number($0.value) ?? 0) }))
        }
        if !stop.isEmpty { members.append(JSONMember("stop", .array(stop.map(JSONValue.string)))) }
        members.append(limit.rawValue, number(maxTokens))
        members.append("n", number(choices))
    }
}

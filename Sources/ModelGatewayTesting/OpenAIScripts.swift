// What a small OpenAI-compatible server answers, so that a test of something else need not write it out.

extension Script {
    /// A whole chat completion.
    /// - Parameters:
    ///   - text: The answer of the assistant.
    ///   - model: The model's id in the answer.
    ///   - promptTokens: As reported in `usage`. Completion tokens are the words of the text.
    public static func chatCompletion(_ text: String, model: String = "mock", promptTokens: Int = 5) -> Script {
        json(
            """
            {"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":\(quoted(model)),\
            "choices":[{"index":0,"message":{"role":"assistant","content":\(quoted(text))},\
            "logprobs":null,"finish_reason":"stop"}],"usage":\(usage(promptTokens, pieces(text).count))}
            """
        )
    }

    /// A streamed chat completion: a role, one chunk for each word, `stop`, usage if asked for, `[DONE]`.
    /// - Parameters:
    ///   - text: The answer of the assistant; it is cut before each space.
    ///   - model: The model that the chunks name. Default `mock`.
    ///   - pace: The pause before each event.
    ///   - promptTokens: The tokens of the prompt in `usage`. Default 5.
    ///   - includesUsage: Whether a chunk with `usage` and no choices comes before the end.
    public static func chatStream(
        _ text: String,
        model: String = "mock",
        pace: Duration = .zero,
        promptTokens: Int = 5,
        includesUsage: Bool = false
    ) -> Script {
        func chunk(_ rest: String) -> String {
            """
            {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":\(quoted(model)),\(rest)}
            """
        }
        func choice(_ delta: String, _ finish: String) -> String {
            chunk(#""choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}]"#)
        }
        let words = pieces(text)
        var data = [choice(#"{"role":"assistant","content":""}"#, "null")]
        data += words.map { choice(#"{"content":\#(quoted($0))}"#, "null") }
        data.append(choice("{}", #""stop""#))
        if includesUsage { data.append(chunk(#""choices":[],"usage":\#(usage(promptTokens, words.count))"#)) }
        data.append("[DONE]")
        return events(data, pace: pace)
    }

    /// A list of models, as `GET /v1/models` answers.
    public static func modelList(_ models: [String]) -> Script {
        let entries = models.map {
            #"{"id":\#(quoted($0)),"object":"model","created":1700000000,"owned_by":"mock"}"#
        }
        return json(#"{"object":"list","data":[\#(entries.joined(separator: ","))]}"#)
    }

    /// Embeddings, one for each input.
    public static func embeddings(_ vectors: [[Double]], model: String = "mock") -> Script {
        let entries = vectors.enumerated().map { index, vector in
            let numbers = vector.map { "\($0)" }.joined(separator: ",")
            return #"{"object":"embedding","index":\#(index),"embedding":[\#(numbers)]}"#
        }
        return json(
            """
            {"object":"list","data":[\(entries.joined(separator: ","))],"model":\(quoted(model)),\
            "usage":{"prompt_tokens":\(vectors.count),"total_tokens":\(vectors.count)}}
            """
        )
    }

    /// An error in the shape of the OpenAI API.
    public static func openAIError(
        status: Int,
        message: String,
        type: String = "invalid_request_error",
        code: String? = nil
    ) -> Script {
        json(
            """
            {"error":{"message":\(quoted(message)),"type":\(quoted(type)),"param":null,\
            "code":\(code.map(quoted) ?? "null")}}
            """,
            status: status
        )
    }

    private static func usage(_ prompt: Int, _ completion: Int) -> String {
        #"{"prompt_tokens":\#(prompt),"completion_tokens":\#(completion),"total_tokens":\#(prompt + completion)}"#
    }

    /// The text, cut before each space.
    private static func pieces(_ text: String) -> [String] {
        var pieces: [String] = []
        for character in text {
            if character == " " || pieces.isEmpty {
                pieces.append(String(character))
            } else {
                pieces[pieces.count - 1].append(character)
            }
        }
        return pieces
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension ScriptedEngine {
    /// A responder like a small OpenAI-compatible server: `/health`, `/v1/models`, chat completions streamed and not, and
    /// embeddings (one vector of three numbers). Everything else is a 404.
    ///
    /// Whether a chat request asks for a stream, and for usage in it, is told by its text containing `"stream":true` and
    /// `"include_usage":true`, white space aside.
    /// - Parameters:
    ///   - models: The models that it lists; chat answers name the first.
    ///   - text: What it answers to every chat request.
    ///   - pace: The pause before each streamed event.
    public static func openAI(
        models: [String] = ["mock"],
        text: String = "Hello from the mock.",
        pace: Duration = .zero
    ) -> Responder {
        let model = models.first ?? "mock"
        return { request in
            switch request.path {
            case "/health", "/v1/health":
                return .json(#"{"status":"ok"}"#)
            case "/v1/models":
                return .modelList(models)
            case "/v1/chat/completions":
                let body = request.text.filter { !$0.isWhitespace }
                guard body.contains(#""stream":true"#) else { return .chatCompletion(text, model: model) }
                return .chatStream(
                    text,
                    model: model,
                    pace: pace,
                    includesUsage: body.contains(#""include_usage":true"#)
                )
            case "/v1/embeddings":
                return .embeddings([[0.25, -0.5, 1]], model: model)
            default:
                return .openAIError(status: 404, message: "Not found: \(request.path)", code: "not_found")
            }
        }
    }
}

// What a provider of OpenAI's format says when it refuses or fails, turned into `GatewayError`.

import GatewayWire

extension GatewayError {
    /// The error in a body or an event of a successful response; nil if there is none.
    package init?(openAIEvent json: JSONValue) {
        guard let error = json["error"], error != .null, json["choices"] == nil || error.object != nil else {
            return nil
        }
        let body = json.serialized()
        let fields = OpenAIErrorFields(decoding: body)
        let status = error["code"]?.int ?? error["status"]?.int ?? fields?.statusByType ?? 500
        self.init(openAIStatus: status, fields: fields, headers: nil, body: body)
    }

    /// The error of a response with a failure status.
    package init(openAIStatus status: Int, headers: HTTPHeaderBlock, body: [UInt8]) {
        self.init(openAIStatus: status, fields: OpenAIErrorFields(decoding: body), headers: headers, body: body)
    }

    private init(openAIStatus status: Int, fields: OpenAIErrorFields?, headers: HTTPHeaderBlock?, body: [UInt8]) {
        let code = Code(upstreamStatus: status, fields: fields)
        self.init(
            code,
            Self.sentence(for: code, status: status, upstream: fields?.message),
            param: code.status < 500 ? fields?.param : nil,
            retryAfter: headers.flatMap(RetryDelay.init)?.delay,
            upstream: UpstreamFailure(status: status, body: body, code: fields?.code, type: fields?.type),
            requestWasSent: true
        )
    }

    /// A sentence for the client: the provider's own where the client is at fault, ours where the provider is.
    private static func sentence(for code: Code, status: Int, upstream message: String?) -> String {
        switch code {
        case .upstreamUnauthorized:
            "The provider rejected the gateway's credentials; the operator must check the deployment's API key."
        case .upstreamFailed where (300..<400).contains(status):
            "The provider answered with a redirect (HTTP \(status)), which is not followed; correct its base URL."
        case .upstreamFailed: "The provider failed (HTTP \(status)); try again later."
        case .unavailable: "The provider is overloaded or unavailable (HTTP \(status)); try again later."
        case .timedOut: "The provider timed out (HTTP \(status)); try again later."
        default: message.map { String($0.prefix(4096)) } ?? "The provider refused the request (HTTP \(status))."
        }
    }
}

extension OpenAIErrorFields {
    /// The status that an error inside a successful response would have had.
    fileprivate var statusByType: Int {
        switch code ?? type {
        case "context_length_exceeded", "invalid_request_error", "BadRequestError", "content_filter": 400
        case "rate_limit_exceeded", "rate_limit_error", "insufficient_quota", "tokens", "requests": 429
        case "overloaded_error": 503
        default: 500
        }
    }

    fileprivate var isContextLength: Bool {
        if code == "context_length_exceeded" || type == "exceed_context_size_error" { return true }
        let message = message.lowercased()
        return ["maximum context length", "context window", "exceeds the context", "context size", "max_model_len"]
            .contains { message.utf8.containsSequence($0.utf8) }
    }

    fileprivate var isContentFilter: Bool {
        ["content_filter", "content_policy_violation", "content_filtered"].contains(code ?? type ?? "")
    }
}

extension GatewayError.Code {
    fileprivate init(upstreamStatus status: Int, fields: OpenAIErrorFields?) {
        switch status {
        case 401, 403: self = .upstreamUnauthorized
        case 408, 504: self = .timedOut
        case 429: self = .rateLimited
        case 503, 529: self = .unavailable
        case 400..<500 where fields?.isContextLength == true: self = .contextLengthExceeded
        case 400..<500 where fields?.isContentFilter == true: self = .contentFiltered
        case 404: self = .notFound
        case 409: self = .conflict
        case 413: self = .payloadTooLarge
        case 415: self = .unsupportedMediaType
        case 422: self = .unprocessable
        case 400..<500: self = .invalidRequest
        default: self = .upstreamFailed
        }
    }
}

extension Sequence where Element == UInt8 {
    /// Whether the bytes occur in this sequence, one behind the other.
    fileprivate func containsSequence(_ needle: some Collection<UInt8>) -> Bool {
        let haystack = Array(self)
        guard haystack.count >= needle.count else { return false }
        return (0...(haystack.count - needle.count)).contains { haystack[$0...].starts(with: needle) }
    }
}

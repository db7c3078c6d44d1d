// Which status an error has that names none itself, by the codes and types that providers document.

extension UpstreamErrorReport {
    /// The status that an error inside a successful response would have had: the one that it names, else the one that
    /// belongs to its code or its type, else 400 or 422 if the request is at fault, else 500.
    package var impliedStatus: Int {
        if let status = status ?? knownStatus { return status }
        if isContextLength || isContentFilter { return 400 }
        return param == nil ? 500 : 422
    }

    /// Whether it says which kind of failure it is, so that it is one whatever it stands in.
    package var isClassified: Bool { status ?? knownStatus != nil }

    private var knownStatus: Int? { code.flatMap { Self.statuses[$0] } ?? type.flatMap { Self.statuses[$0] } }

    /// Whether the prompt is too long.
    package var isContextLength: Bool {
        if code == "context_length_exceeded" || type == "exceed_context_size_error" { return true }
        guard let message = message?.lowercased() else { return false }
        return ["maximum context length", "context window", "exceeds the context", "context size", "max_model_len"]
            .contains { message.contains($0) }
    }

    /// Whether the provider's policy refused the content.
    package var isContentFilter: Bool {
        ["content_filter", "content_policy_violation", "content_filtered"].contains(code ?? type ?? "")
    }

    private static let statuses: [String: Int] = [
        // OpenAI and engines that follow it.
        "context_length_exceeded": 400, "invalid_request_error": 400, "content_filter": 400,
        "content_policy_violation": 400, "exceed_context_size_error": 400, "BadRequestError": 400,
        "invalid_api_key": 401, "authentication_error": 401, "AuthenticationError": 401, "permission_error": 403,
        "PermissionDeniedError": 403, "model_not_found": 404, "not_found_error": 404, "NotFoundError": 404,
        "UnprocessableEntityError": 422, "rate_limit_exceeded": 429, "rate_limit_error": 429, "RateLimitError": 429,
        "insufficient_quota": 429, "tokens": 429, "requests": 429, "server_error": 500, "InternalServerError": 500,
        "service_unavailable": 503, "ServiceUnavailableError": 503, "unavailable_error": 503,
        // Anthropic.
        "billing_error": 402, "request_too_large": 413, "api_error": 500, "timeout_error": 504, "overloaded_error": 529,
        // Google.
        "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401,
        "PERMISSION_DENIED": 403, "NOT_FOUND": 404, "RESOURCE_EXHAUSTED": 429, "INTERNAL": 500, "UNAVAILABLE": 503,
        "DEADLINE_EXCEEDED": 504,
        // AWS.
        "ValidationException": 400, "AccessDeniedException": 403, "ResourceNotFoundException": 404,
        "ModelTimeoutException": 408, "ThrottlingException": 429, "ServiceQuotaExceededException": 429,
        "ModelNotReadyException": 429, "InternalServerException": 500, "ServiceUnavailableException": 503,
    ]
}

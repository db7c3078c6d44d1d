// Errors in the shape that OpenAI's API and its clients use, written for our clients.

import GatewayWire

/// The fields of an error in OpenAI's shape, `{"error":{"message","type","param","code"}}`.
package struct OpenAIErrorFields: Hashable, Sendable {
    package var message: String
    package var type: String?
    package var param: String?
    package var code: String?

    package init(message: String, type: String? = nil, param: String? = nil, code: String? = nil) {
        self.message = message
        self.type = type
        self.param = param
        self.code = code
    }

    /// The fields that a client of the gateway is shown.
    package init(_ error: GatewayError) {
        message = error.message
        param = error.param
        // What the provider said about a bad request is for the client; what it said about our own call is not.
        let upstream = error.code.status == 400 ? error.upstream : nil
        type = upstream?.type ?? Self.type(status: error.status)
        code = upstream?.code ?? (error.code == .unauthenticated ? "invalid_api_key" : error.code.rawValue)
    }

    private static func type(status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 429: "rate_limit_error"
        case 500...: "server_error"
        default: "invalid_request_error"
        }
    }
}

// MARK: - Writing

extension OpenAIErrorFields {
    /// The error as a JSON body. All four members are always there, as OpenAI's clients expect.
    package var json: [UInt8] {
        var writer = JSONWriter(capacity: 128 + message.utf8.count)
        writer.beginObject()
        writer.key("error")
        writer.beginObject()
        writer.member("message", message)
        writer.key("type")
        Self.write(type, to: &writer)
        writer.key("param")
        Self.write(param, to: &writer)
        writer.key("code")
        Self.write(code, to: &writer)
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ value: String?, to writer: inout JSONWriter) {
        if let value { writer.string(value) } else { writer.null() }
    }
}

// MARK: - By format

extension WireFormat {
    /// The body of an error response in this format.
    package func errorBody(for error: GatewayError) -> [UInt8] {
        OpenAIErrorFields(error).json
    }

    /// The event that tells of an error in a stream which has begun already.
    package func errorEvent(for error: GatewayError) -> [UInt8] {
        Array("data: ".utf8) + errorBody(for: error) + Array("\n\n".utf8)
    }

    /// The header lines that belong to an error: its media type, when to come back, how to authenticate, how many attempts
    /// were made (and for admins where the last one went), and the quota and the id of the call that the upstream told.
    package func errorHeaders(for error: GatewayError, to caller: Caller = .client) -> [HTTPHeader] {
        var headers = [HTTPHeader("content-type", "application/json")]
        // A client that is told to come back is told when, even if nobody knows.
        let isTemporary = error.status == 429 || error.status == 503
        if let wait = error.retryAfter ?? (isTemporary ? .seconds(1) : nil) {
            // Whole seconds rounded up: a client that comes back too early is refused again.
            let seconds = wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0)
            headers.append(HTTPHeader("retry-after", String(max(seconds, 1))))
        }
        headers += error.upstream?.headers ?? []
        if error.code == .unauthenticated {
            headers.append(HTTPHeader("www-authenticate", "Bearer"))
        }
        if let attempts = error.attempts { headers.append(HTTPHeader("x-gateway-attempts", String(attempts))) }
        if caller == .admin, let deployment = error.deployment {
            headers.append(HTTPHeader("x-gateway-deployment", deployment))
        }
        return headers
    }
}

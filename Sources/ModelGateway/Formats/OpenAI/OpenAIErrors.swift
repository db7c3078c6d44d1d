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

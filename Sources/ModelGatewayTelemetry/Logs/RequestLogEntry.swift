// One line of the access log: what is known of a request, rendered straight into a buffer.

import GatewaySystem
internal import GatewayWire
package import ModelGateway

/// A finished request or call for the access log. What is nil is left out of the line.
package struct RequestLogEntry: Sendable {
    /// The id of the call.
    package var requestID: String
    /// Seconds since 1970 and the milliseconds on top at which the entry was made.
    package var time: (seconds: Int, milliseconds: Int)
    /// The IP address of the client.
    package var client: String?
    /// The HTTP method.
    package var method: String?
    /// The path without its query.
    package var path: String?
    /// The HTTP status that was sent.
    package var status: Int?
    /// The package name of the model.
    package var model: String?
    /// The deployment that answered, or that was tried last.
    package var deployment: String?
    /// The code of the error; nil for a whole answer.
    package var error: String?
    /// Attempts that were made.
    package var attempts: Int?
    /// Whether the answer was streamed.
    package var isStreamed: Bool?
    /// From the start to the first piece of the answer.
    package var timeToFirstToken: Duration?
    /// From the start to the end.
    package var duration: Duration
    /// Tokens of the prompt.
    package var inputTokens: Int?
    /// Tokens of the answer.
    package var outputTokens: Int?
    /// Bytes of the request's body.
    package var requestBytes: Int?
    /// Bytes of the response's body.
    package var responseBytes: Int?

    /// Creates an entry of this moment.
    package init(requestID: String, duration: Duration) {
        self.requestID = requestID
        self.duration = duration
        let now = WallClock.now()
        time = (now.seconds, now.nanoseconds / 1_000_000)
    }

    /// Creates an entry of this moment out of what is known of a call.
    package init(_ record: CallRecord) {
        self.init(requestID: record.requestID, duration: record.duration)
        client = record.sender.address
        model = record.model
        deployment = record.deployment
        error = record.error?.rawValue
        attempts = record.attempts
        isStreamed = record.isStreamed
        timeToFirstToken = record.timeToFirstToken
        inputTokens = record.usage?.promptTokens
        outputTokens = record.usage?.completionTokens
    }

    /// The entry as a JSON object on a line.
    package func appendJSON(to output: inout [UInt8]) {
        var writer = JSONWriter(appendingTo: output)
        output = []
        writer.beginObject()
        writer.key("time")
        LogTime.rfc3339(time).withUnsafeBytes { writer.string(utf8: $0) }
        writer.member("level", literal: "info")
        writer.member("message", literal: "request")
        writer.member("request_id", requestID)
        if let client { writer.member("client", client) }
        if let method { writer.member("method", method) }
        if let path { writer.member("path", path) }
        if let status { writer.member("status", status) }
        if let model { writer.member("model", model) }
        if let deployment { writer.member("deployment", deployment) }
        if let error { writer.member("error", error) }
        if let attempts { writer.member("attempts", attempts) }
        if let isStreamed { writer.member("stream", isStreamed) }
        if let timeToFirstToken { writer.member("ttft_ms", timeToFirstToken.inMilliseconds) }
        writer.member("duration_ms", duration.inMilliseconds)
        if let inputTokens { writer.member("input_tokens", inputTokens) }
        if let outputTokens { writer.member("output_tokens", outputTokens) }
        if let requestBytes { writer.member("request_bytes", requestBytes) }
        if let responseBytes { writer.member("response_bytes", responseBytes) }
        writer.endObject()
        output = writer.bytes
        output.append(UInt8(ascii: "\n"))
    }

    /// The entry as a readable line.
    package func appendText(to output: inout [UInt8]) {
        output += LogTime.rfc3339(time)
        output.append(literal: " request ")
        LogText.appendValue(requestID, to: &output)
        for value in [method, path] {
            guard let value else { continue }
            output.append(UInt8(ascii: " "))
            LogText.appendValue(value, to: &output)
        }
        if let status { append("status", status, to: &output) }
        append("client", client, to: &output)
        append("model", model, to: &output)
        append("deployment", deployment, to: &output)
        append("error", error, to: &output)
        if let attempts { append("attempts", attempts, to: &output) }
        if let timeToFirstToken { append("ttft", timeToFirstToken.inMilliseconds, "ms", to: &output) }
        append("duration", duration.inMilliseconds, "ms", to: &output)
        if let inputTokens { append("in", inputTokens, to: &output) }
        if let outputTokens { append("out", outputTokens, to: &output) }
        if let requestBytes { append("request_bytes", requestBytes, to: &output) }
        if let responseBytes { append("response_bytes", responseBytes, to: &output) }
        output.append(UInt8(ascii: "\n"))
    }

    private func append(_ key: StaticString, _ value: String?, to output: inout [UInt8]) {
        guard let value else { return }
        appendKey(key, to: &output)
        LogText.appendValue(value, to: &output)
    }

    private func append(_ key: StaticString, _ value: Int, to output: inout [UInt8]) {
        appendKey(key, to: &output)
        Decimal.append(value, to: &output)
    }

    private func append(_ key: StaticString, _ value: Double, _ unit: StaticString, to output: inout [UInt8]) {
        appendKey(key, to: &output)
        output.append(text: value.description)
        output.append(literal: unit)
    }

    private func appendKey(_ key: StaticString, to output: inout [UInt8]) {
        output.append(UInt8(ascii: " "))
        output.append(literal: key)
        output.append(UInt8(ascii: "="))
    }
}

extension Duration {
    /// Milliseconds with three digits behind the point.
    var inMilliseconds: Double { (Double(inNanoseconds) / 1000).rounded() / 1000 }
}

/// Moments as log lines spell them.
enum LogTime {
    /// RFC 3339 in UTC with milliseconds.
    static func rfc3339(_ time: (seconds: Int, milliseconds: Int)) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(24)
        CivilTime(unixSeconds: time.seconds).appendRFC3339(milliseconds: time.milliseconds, to: &output)
        return output
    }

    static func now() -> [UInt8] {
        let now = WallClock.now()
        return rfc3339((now.seconds, now.nanoseconds / 1_000_000))
    }
}

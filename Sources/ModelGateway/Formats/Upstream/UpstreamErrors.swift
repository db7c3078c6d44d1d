// What a provider of OpenAI's format says when it refuses or fails, turned into `GatewayError`.

import GatewayWire

extension GatewayError {
    /// The error in a body or an event of a successful response; nil if it is an answer, or a part of one.
    package init?(upstreamEvent json: JSONValue) {
        guard let report = UpstreamErrorReport(insideSuccess: json) else { return nil }
        self.init(upstreamStatus: report.impliedStatus, report: report, headers: nil, body: json.serialized())
    }

    /// The error of a successful response without an answer in it: what it says instead, or that it says nothing.
    package init(upstreamWithoutAnswer json: JSONValue) {
        guard let report = UpstreamErrorReport(json), report.message != nil || report.isClassified else {
            self = .emptyAnswer
            return
        }
        self.init(upstreamStatus: report.impliedStatus, report: report, headers: nil, body: json.serialized())
    }

    /// An answer without any choice, or with nothing in them: neither content nor why it ended.
    package static var emptyAnswer: GatewayError {
        GatewayError(.malformedResponse, "The provider's answer is empty; try again.", requestWasSent: true)
    }

    /// The error that a part of a stream is by its name, whatever it looks like.
    fileprivate init(upstreamErrorEvent data: [UInt8]) {
        let report = UpstreamErrorReport(body: data)
        self.init(upstreamStatus: report?.impliedStatus ?? 500, report: report, headers: nil, body: data)
    }

    /// The error of a response with a failure status.
    package init(upstreamStatus status: Int, headers: HTTPHeaderBlock, body: [UInt8]) {
        self.init(upstreamStatus: status, report: UpstreamErrorReport(body: body), headers: headers, body: body)
    }

    private init(upstreamStatus status: Int, report: UpstreamErrorReport?, headers: HTTPHeaderBlock?, body: [UInt8]) {
        let code = Code(upstreamStatus: status, report: report)
        self.init(
            code,
            Self.sentence(for: code, status: status, upstream: report?.message),
            param: code.status < 500 ? report?.param : nil,
            retryAfter: headers.flatMap(RetryDelay.init)?.delay,
            upstream: UpstreamFailure(
                status: status,
                body: body,
                code: report?.code,
                type: report?.type,
                headers: headers.map { UpstreamHeaders.forClient($0) } ?? []
            ),
            requestWasSent: true
        )
    }

    /// A sentence for the client: the provider's own where the client is at fault, ours where the provider is.
    private static func sentence(for code: Code, status: Int, upstream message: String?) -> String {
        switch code {
        case .upstreamUnauthorized:
            "The provider rejected the gateway's credentials; the operator must check the deployment's API key."
        case .unavailable where (400..<500).contains(status):
            "The provider's account is out of credit (HTTP \(status)); the operator must top it up."
        case .upstreamFailed where (300..<400).contains(status):
            "The provider answered with a redirect (HTTP \(status)), which is not followed; correct its base URL."
        case .upstreamFailed: "The provider failed (HTTP \(status)); try again later."
        case .unavailable: "The provider is overloaded or unavailable (HTTP \(status)); try again later."
        case .timedOut: "The provider timed out (HTTP \(status)); try again later."
        default: message ?? "The provider refused the request (HTTP \(status))."
        }
    }
}

extension SSEEvent {
    /// The error that an event of a stream tells: by its name, by what its data say, or without any data, as
    /// `error: {…}` or as a JSON text that was sent into the stream as it is. Nil foreverything else.
    package var upstreamError: GatewayError? {
        if let data {
            if name.equals("error") { return GatewayError(upstreamErrorEvent: Array(data)) }
            return (try? JSONValue(parsing: Array(data))).flatMap { GatewayError(upstreamEvent: $0) }
        }
        guard let start = raw.firstIndex(where: { $0 > 0x20 }), raw[start] != UInt8(ascii: ":") else { return nil }
        let text = raw.clamped(to: start..<raw.count)
        if text.starts(with: "error:".utf8) { return GatewayError(upstreamErrorEvent: Array(text.dropFirst(6))) }
        guard AnswerForm(firstBytes: Array(text)) == .json else { return nil }
        return (try? JSONValue(parsing: Array(text))).flatMap { GatewayError(upstreamEvent: $0) }
    }
}

extension GatewayError.Code {
    fileprivate init(upstreamStatus status: Int, report: UpstreamErrorReport?) {
        switch status {
        case 402: self = .unavailable
        case 400..<500 where report?.isOutOfQuota == true: self = .unavailable
        case 403 where report?.isContentFilter == true: self = .contentFiltered
        case 401, 403: self = .upstreamUnauthorized
        case 408, 504: self = .timedOut
        case 429: self = .rateLimited
        case 503, 529: self = .unavailable
        case 508: self = .loopDetected
        case 400..<500 where report?.isContextLength == true: self = .contextLengthExceeded
        case 400..<500 where report?.isContentFilter == true: self = .contentFiltered
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

// The one public error of the library: a stable code, a sentence that says what to do, the HTTP status it maps to.

/// What went wrong in a call, in a form that a program can act on and a person can read.
///
/// Match on the code, in a `catch` or a `switch`:
///
/// ```swift
/// do {
///     _ = try await gateway.chat(request)
/// } catch .rateLimited {
///     // wait for error.retryAfter
/// }
/// ```
///
/// A message never contains credentials, upstream addresses or stack traces, so it may be shown to a client.
public struct GatewayError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure. The set is open: later versions may add codes, so a `switch` needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable, machine-readable spelling, in snake case.
        public let rawValue: String
        /// The HTTP status that a server answers with for this code.
        public let status: Int

        private init(_ rawValue: String, _ status: Int) {
            self.rawValue = rawValue
            self.status = status
        }

        public var description: String { rawValue }

        /// The request is malformed or a value in it is out of range (400).
        public static let invalidRequest = Code("invalid_request", 400)
        /// The prompt does not fit into the model's context (400).
        public static let contextLengthExceeded = Code("context_length_exceeded", 400)
        /// The provider refused the content by its policy (400).
        public static let contentFiltered = Code("content_filtered", 400)
        /// The deployment cannot do what the request asks for (400).
        public static let unsupported = Code("unsupported", 400)
        /// No key, or one that the gateway does not know (401).
        public static let unauthenticated = Code("unauthenticated", 401)
        /// The key is known but not allowed to do this (403).
        public static let permissionDenied = Code("permission_denied", 403)
        /// No model of that name (404).
        public static let modelNotFound = Code("model_not_found", 404)
        /// No such path or object (404).
        public static let notFound = Code("not_found", 404)
        /// The path exists but not with this method (405).
        package static let methodNotAllowed = Code("method_not_allowed", 405)
        /// The client took too long to send its request (408).
        package static let requestTimeout = Code("request_timeout", 408)
        /// The request conflicts with the present state (409).
        public static let conflict = Code("conflict", 409)
        /// The request body is larger than the limit (413).
        public static let payloadTooLarge = Code("payload_too_large", 413)
        /// The request body is not of a media type that the endpoint reads (415).
        package static let unsupportedMediaType = Code("unsupported_media_type", 415)
        /// The request is well formed but its meaning is not acceptable (422).
        public static let unprocessable = Code("unprocessable", 422)
        /// Too many requests; see ``GatewayError/retryAfter`` (429).
        public static let rateLimited = Code("rate_limited", 429)
        /// The caller went away or cancelled its task (499, never seen by a client).
        public static let cancelled = Code("cancelled", 499)
        /// A defect of the gateway itself (500).
        public static let internalError = Code("internal_error", 500)
        /// The provider failed (502).
        public static let upstreamFailed = Code("upstream_failed", 502)
        /// The provider rejected the gateway's own credentials (502): a configuration problem, not the client's.
        public static let upstreamUnauthorized = Code("upstream_unauthorized", 502)
        /// No connection to the provider: name resolution or connect failed (502).
        public static let connectFailed = Code("connect_failed", 502)
        /// The TLS handshake or certificate check failed (502).
        public static let tlsFailed = Code("tls_failed", 502)
        /// The provider's answer ended before it was complete (502).
        public static let truncatedResponse = Code("truncated_response", 502)
        /// The provider's answer cannot be understood (502).
        public static let malformedResponse = Code("malformed_response", 502)
        /// Nothing can take the call now; see ``GatewayError/retryAfter`` (503).
        public static let unavailable = Code("unavailable", 503)
        /// The gateway itself has no room for the call, such as no file descriptor for a connection (503).
        public static let overloaded = Code("gateway_overloaded", 503)
        /// The gateway is going down (503).
        public static let shuttingDown = Code("shutting_down", 503)
        /// The provider did not answer in time (504).
        public static let timedOut = Code("timed_out", 504)
        /// The call has been through this gateway before, or through too many of them (508).
        public static let loopDetected = Code("loop_detected", 508)
        /// A configuration file or value is wrong; see the message for file and line (500).
        public static let configuration = Code("configuration", 500)
        /// A local model could not be loaded (503).
        public static let modelLoadFailed = Code("model_load_failed", 503)
    }

    /// The kind of failure.
    public var code: Code {
        get { box.parts.code }
        set { change { $0.code = newValue } }
    }
    /// A sentence for people: what was wrong and what to do.
    public var message: String {
        get { box.parts.message }
        set { change { $0.message = newValue } }
    }
    /// The request field the failure is about, such as `messages[0].content`, if it is about one.
    public var param: String? {
        get { box.parts.param }
        set { change { $0.param = newValue } }
    }
    /// How long to wait before a retry makes sense, if known.
    public var retryAfter: Duration? {
        get { box.parts.retryAfter }
        set { change { $0.retryAfter = newValue } }
    }
    /// The status and bounded body that the provider answered with, if it answered.
    public var upstream: UpstreamFailure? {
        get { box.parts.upstream }
        set { change { $0.upstream = newValue } }
    }
    /// Whether the provider may have begun to work on the request, so that sending it again could do the work twice.
    public var requestWasSent: Bool {
        get { box.parts.requestWasSent }
        set { change { $0.requestWasSent = newValue } }
    }

    /// The attempts that were made for the call that failed, if it was one; 0 if it never got that far.
    package var attempts: Int? {
        get { box.parts.attempts }
        set { change { $0.attempts = newValue } }
    }
    /// What can be done about it in other ways than the message says; see ``advising(_:)``.
    package var advice: Advice? {
        get { box.parts.advice }
        set { change { $0.advice = newValue } }
    }
    /// The deployment that was tried last for the call. For admins only.
    package var deployment: String? {
        get { box.parts.deployment }
        set { change { $0.deployment = newValue } }
    }

    /// The answer of a provider that refused or failed.
    public struct UpstreamFailure: Sendable, Hashable {
        /// The HTTP status of the provider's answer.
        public var status: Int
        /// At most the first 64 KiB of the answer's body.
        public var body: [UInt8]
        /// The provider's own error code, such as `context_length_exceeded`, if it sent one.
        public var code: String?
        /// The provider's own error type, such as `invalid_request_error`, if it sent one.
        public var type: String?
        /// Header lines of the answer that are for the client: the provider's quota, and its own id of the call.
        public var headers: [HTTPHeader]

        /// Creates a record of a provider's failed answer.
        public init(
            status: Int,
            body: [UInt8] = [],
            code: String? = nil,
            type: String? = nil,
            headers: [HTTPHeader] = []
        ) {
            self.status = status
            self.body = body
            self.code = code
            self.type = type
            self.headers = headers
        }
    }

    /// Creates an error.
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: A sentence that says what was wrong and what to do. Must not contain secrets.
    ///   - param: The request field the failure is about.
    ///   - retryAfter: How long to wait before a retry makes sense.
    ///   - upstream: What the provider answered, if it did.
    ///   - requestWasSent: Whether the provider may have begun to work on the request.
    public init(
        _ code: Code,
        _ message: String,
        param: String? = nil,
        retryAfter: Duration? = nil,
        upstream: UpstreamFailure? = nil,
        requestWasSent: Bool = false
    ) {
        box = Box(
            Parts(
                code: code,
                message: message,
                param: param,
                retryAfter: retryAfter,
                upstream: upstream,
                requestWasSent: requestWasSent
            )
        )
    }

    /// The HTTP status that a server answers with: the provider's own for a request it found fault with,
    /// else the one of the code.
    public var status: Int {
        if let upstream, code.status == 400, (400..<500).contains(upstream.status) { return upstream.status }
        return code.status
    }

    public var description: String { "\(code): \(message)" }

    /// Lets `catch .rateLimited` match an error by its code.
    public static func ~= (code: Code, error: GatewayError) -> Bool { error.code == code }

    // MARK: Storage

    /// An error is one word, because each function on the way of a call keeps room for the ones of all that it calls.
    private var box: Box

    private struct Parts {
        var code: Code
        var message: String
        var param: String?
        var retryAfter: Duration?
        var upstream: UpstreamFailure?
        var requestWasSent: Bool
        var attempts: Int?
        var advice: Advice?
        var deployment: String?
    }

    private final class Box: Sendable {
        let parts: Parts

        init(_ parts: Parts) {
            self.parts = parts
        }
    }

    private mutating func change(_ body: (inout Parts) -> Void) {
        var parts = box.parts
        body(&parts)
        box = Box(parts)
    }
}

/// Lets `catch GatewayError.Code.rateLimited` match in a `catch` of any error.
public func ~= (code: GatewayError.Code, error: any Error) -> Bool {
    (error as? GatewayError)?.code == code
}

// What follows a call from its start to its end, for tracing: the call, each of its attempts, and what goes upstream.

/// What is known of a call when it starts.
public struct CallStart: Sendable {
    /// The id of the call.
    public var requestID: String
    /// The name of the model that was asked for.
    public var model: String
    /// The kind of work.
    public var mode: Mode
    /// Whether the answer is streamed.
    public var isStreamed: Bool
    /// Header lines of the client that the call comes from, among them `traceparent`; empty if the program itself calls.
    public var headers: [HTTPHeader]

    /// Creates what is known of a call.
    public init(
        requestID: String,
        model: String,
        mode: Mode,
        isStreamed: Bool = false,
        headers: [HTTPHeader] = []
    ) {
        self.requestID = requestID
        self.model = model
        self.mode = mode
        self.isStreamed = isStreamed
        self.headers = headers
    }
}

/// What is known of an attempt when it starts.
public struct AttemptStart: Sendable {
    /// Which attempt of the call it is, from 1.
    public var number: Int
    /// The id of the deployment that is tried.
    public var deployment: String
    /// The name of its provider.
    public var provider: String
    /// The id of the model at the provider.
    public var upstreamModel: String
    /// The host of the provider's API, a name or an address without brackets; nil for models in this process.
    public var serverAddress: String?
    /// The port of the provider's API; nil for models in this process.
    public var serverPort: Int?

    /// Creates what is known of an attempt.
    public init(
        number: Int,
        deployment: String,
        provider: String,
        upstreamModel: String,
        serverAddress: String? = nil,
        serverPort: Int? = nil
    ) {
        self.number = number
        self.deployment = deployment
        self.provider = provider
        self.upstreamModel = upstreamModel
        self.serverAddress = serverAddress
        self.serverPort = serverPort
    }
}

/// Follows calls from their start; a ``CallObserver`` has one in ``CallObserver/tracer``.
///
/// Everything is called on the path of the call, in the task that makes it: it must be quick and must not block.
public protocol CallTracer: Sendable {
    /// A call starts.
    /// - Returns: What follows the call; nil if nothing should.
    func callStarted(_ call: CallStart) -> (any CallTrace)?
}

/// Follows one call.
public protocol CallTrace: Sendable {
    /// An attempt of the call starts.
    func attemptStarted(_ attempt: AttemptStart) -> any AttemptTrace

    /// The call is over, after all its attempts. Called exactly once, also when the client went away.
    /// - Parameters:
    ///   - record: What became of the call.
    ///   - error: Why the call failed; ``GatewayError/Code/cancelled`` if the client went away, nil for a whole answer.
    func callFinished(_ record: CallRecord, error: GatewayError?)
}

/// Follows one attempt of a call.
public protocol AttemptTrace: Sendable {
    /// Header lines that go upstream with the attempt, such as `traceparent`, instead of the client's of the same name.
    var headers: [HTTPHeader] { get }

    /// The attempt is over. Called exactly once.
    /// - Parameter error: Why the attempt failed; nil for a whole answer.
    func attemptFinished(error: GatewayError?)
}

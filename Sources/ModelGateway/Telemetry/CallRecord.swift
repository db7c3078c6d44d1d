// What is known of a call once it is over, for metrics, logs and the embedding program.

/// One call of a client, after its end.
public struct CallRecord: Sendable {
    /// The id of the call.
    public var requestID: String
    /// The public name of the model, or what the caller took for one: see ``isModelKnown``.
    public var model: String
    /// Whether there was a model of that name. Callers can make up any number of names, so nothing should be kept for
    /// each of those that are not.
    public var isModelKnown: Bool
    /// The kind of work.
    public var mode: Mode
    /// The deployment that answered, or that was tried last.
    public var deployment: String?
    /// The provider of that deployment.
    public var provider: String?
    /// Attempts that were made.
    public var attempts: Int
    /// Whether the answer was streamed.
    public var isStreamed: Bool
    /// What went wrong; nil for a whole answer.
    public var error: GatewayError.Code?
    /// From the call's start to the first piece of the answer.
    public var timeToFirstToken: Duration?
    /// From the call's start to its end.
    public var duration: Duration
    /// What the call used, if the provider said so.
    public var usage: Usage?
    /// Where the request came from, if a server took it.
    public var sender: RequestSender

    /// Creates a record.
    public init(
        requestID: String,
        model: String,
        mode: Mode,
        deployment: String? = nil,
        provider: String? = nil,
        attempts: Int = 0,
        isStreamed: Bool = false,
        error: GatewayError.Code? = nil,
        timeToFirstToken: Duration? = nil,
        duration: Duration = .zero,
        usage: Usage? = nil,
        isModelKnown: Bool = true,
        sender: RequestSender = RequestSender()
    ) {
        self.requestID = requestID
        self.model = model
        self.mode = mode
        self.deployment = deployment
        self.provider = provider
        self.attempts = attempts
        self.isStreamed = isStreamed
        self.error = error
        self.timeToFirstToken = timeToFirstToken
        self.duration = duration
        self.usage = usage
        self.isModelKnown = isModelKnown
        self.sender = sender
    }
}

/// Receives the end of each call, exactly once, also when the client went away.
///
/// It is called on the path of the call: it must be quick and must not block.
public protocol CallObserver: Sendable {
    /// A call is over.
    func callFinished(_ record: CallRecord)

    /// No group has had a deployment of this id for ten minutes: what is kept for it may go. Does nothing by default.
    func deploymentRetired(_ id: String)

    /// There has been no model of this name for ten minutes: what is kept for it may go. Does nothing by default.
    func modelRetired(_ model: String)

    /// What follows calls from their start, if the observer does. A gateway asks once, when it is created. By default
    /// nil.
    var tracer: (any CallTracer)? { get }
}

extension CallObserver {
    public var tracer: (any CallTracer)? { nil }
    public func deploymentRetired(_ id: String) {}
    public func modelRetired(_ model: String) {}
}

/// Passes each call on to several observers, in order. Its tracer is the first that one of them has.
public struct CallObservers: CallObserver {
    private let observers: [any CallObserver]

    /// Creates one observer out of several.
    public init(_ observers: [any CallObserver]) {
        self.observers = observers
    }

    public var tracer: (any CallTracer)? { observers.lazy.compactMap(\.tracer).first }

    public func callFinished(_ record: CallRecord) {
        for observer in observers { observer.callFinished(record) }
    }

    public func deploymentRetired(_ id: String) {
        for observer in observers { observer.deploymentRetired(id) }
    }

    public func modelRetired(_ model: String) {
        for observer in observers { observer.modelRetired(model) }
    }
}

// A request as bytes: what a server hands to the gateway.

public import Logging

/// A client's request in a wire format, its body still the bytes that came in.
public struct WireRequest: Sendable {
    /// What the client called: the dialect and the kind of work.
    public var endpoint: Endpoint
    /// The body as it came in.
    public var body: [UInt8]
    /// Header lines of the client that may matter: session keys, tags, feature flags of the format.
    public var headers: [HTTPHeader]
    /// The id of the call, already validated or made.
    public var requestID: String
    /// Forces the call onto the deployment of this id. Programs that take requests from clients must check that
    /// only an admin chooses. Default nil: the policy chooses.
    public var deployment: String?
    /// Who makes the call; the answer names its deployment (`x-gateway-deployment`) to admins only. Default
    /// ``Caller/client``.
    public var caller: Caller
    /// Where it came from, as far as that is known. Default: nothing is.
    public var sender: RequestSender
    /// Receives what happens to the call, as ``CallOptions/logger`` does. Default nil: nothing is logged.
    public var logger: Logger?

    /// The kind of work.
    public var mode: Mode { endpoint.mode }

    /// Creates a request.
    public init(
        _ endpoint: Endpoint,
        body: [UInt8],
        headers: [HTTPHeader] = [],
        requestID: String,
        deployment: String? = nil,
        caller: Caller = .client,
        sender: RequestSender = RequestSender(),
        logger: Logger? = nil
    ) {
        self.endpoint = endpoint
        self.body = body
        self.headers = headers
        self.requestID = requestID
        self.deployment = deployment
        self.caller = caller
        self.sender = sender
        self.logger = logger
    }
}

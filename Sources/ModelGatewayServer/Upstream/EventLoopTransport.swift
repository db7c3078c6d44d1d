// The HTTP client of the server: a call to an engine stays on the event loop of its client's connection.

import GatewayWire
public import ModelGateway
import NIOCore
import NIOPosix

/// An `HTTPTransport` that keeps a call of a ``DataPlane`` on one thread, from the client's socket to the engine's.
///
/// It speaks HTTP/1.1, in the clear and over TLS, on Unix domain sockets, and through proxies of HTTP and of SOCKS 5, and
/// HTTP/2 where ``/ModelGateway/HTTP2Use`` says so. Everything else goes to another transport: a URL with user info, what
/// goes through a proxy of another kind, or of `socks5` to a host with a name, and an engine that compresses its answers
/// without being asked, after the first one.
///
/// ```swift
/// let transport = try EventLoopTransport(over: CurlTransport())
/// let provider = try OpenAICompatibleProvider(baseURL: "http://127.0.0.1:8000", transport: transport)
/// ```
///
/// - A request on a kept connection that dies before anything of the answer came is sent again if its method is `GET`
///   or `HEAD`; any other fails, for the engine may be at work on it. Over HTTP/2 a request that the engine refused unread
///   (`GOAWAY`, `REFUSED_STREAM`) is sent again whatever its method. A connection that its engine closes while it lies
///   unused is forgotten at once.
/// - While an event loop is more than half busy, its streams are read at longer intervals, so that several events share a
///   read and a write.
/// - Dropping the last reference closes the connections that are not in use; calls under way may finish.
public final class EventLoopTransport: HTTPTransport {
    private let fallback: any HTTPTransport
    private let loops: [UpstreamLoop]
    private let security: UpstreamSecurity

    /// Creates a transport on the event loops that servers run on, with the settings of the one that sends what it does not
    /// send itself. Blocks while it reads the certificates that these settings name.
    /// - Parameters:
    ///   - curl: The other transport, and the settings of TLS, proxies, HTTP/2 and unused connections, which here are per
    ///     host.
    ///   - streamDelay: The most by which the events of streams are delayed while their event loop is more than half
    ///     busy, so that several are sent at a time; 0 to 10 s. Default 50 ms; 0 means never. The first piece of an
    ///     answer is not delayed.
    /// - Throws: `GatewayError.Code.configuration` that names the file of a certificate or key which cannot be used.
    public convenience init(
        over curl: CurlTransport,
        streamDelay: Duration = .milliseconds(50)
    ) throws(GatewayError) {
        let settings = curl.options
        var options = UpstreamOptions()
        options.pace = StreamPace(limit: TimeAmount(min(max(streamDelay, .zero), .seconds(10))))
        options.room = settings.room
        options.http2 = settings.http2
        options.proxies = ProxyRules(settings.proxy)
        options.maxIdle = max(0, settings.maxIdleConnections)
        options.idleLifetime = TimeAmount(max(settings.idleConnectionLifetime, .zero))
        self.init(
            fallback: curl,
            tls: settings.tls,
            options: options
        )
        try security.check()
    }

    /// - Parameters:
    ///   - fallback: Sends what this transport does not.
    ///   - tls: How secure connections are made.
    ///   - options: The settings of its connections.
    package init(
        fallback: any HTTPTransport,
        tls: TLSOptions = TLSOptions(),
        options: UpstreamOptions = UpstreamOptions()
    ) {
        self.fallback = fallback
        security = UpstreamSecurity(tls, offersHTTP2: options.http2 != .off)
        loops = MultiThreadedEventLoopGroup.singleton.makeIterator().map { UpstreamLoop($0, options) }
    }

    deinit {
        for loop in loops { loop.retire() }
    }

    /// One of the event loops, in turn.
    public var preferredExecutor: (any TaskExecutor)? { pickLoop()?.executor }

    /// Sends a request on the event loop that the caller runs on, or on the next one, or with the other transport.
    public func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
        guard UpstreamBypass.admits(request.url), let loop = pickLoop() else {
            return try await fallback.send(request)
        }
        if loop.eventLoop.inEventLoop { return try await send(request, on: loop) }
        // Only calls from elsewhere, such as health probes, come this way.
        return try await withTaskExecutorPreference(loop.executor) { () async throws(GatewayError) in
            try await send(request, on: loop)
        }
    }

    /// Holds so many connections open on each event loop, at most 100, and replaces those that end. They count against the
    /// same limits as others, and are closed with the last reference to the transport.
    public func keepWarm(_ count: Int, to url: String) {
        guard UpstreamBypass.admits(url) else { return }
        guard UpstreamBypass.isSecure(url) else { return loops.forEach { $0.keepWarm(count, to: url, with: nil) } }
        Task {
            guard let tls = try? await security.tls() else { return }
            for loop in loops { loop.keepWarm(count, to: url, with: tls) }
        }
    }

    private func send(
        _ request: HTTPTransportRequest,
        on loop: UpstreamLoop
    ) async throws(GatewayError) -> HTTPTransportResponse {
        if loop.lacksTLS, UpstreamBypass.isSecure(request.url) { loop.secure(with: try await security.tls()) }
        guard let call = try loop.call(request) else { return try await fallback.send(request) }
        switch await call.response() {
        case .success(let head):
            let headers = HTTPHeaderBlock(bytes: head.lines)
            return HTTPTransportResponse(status: head.status, headers: headers, body: UpstreamBody(call))
        case .failure(let error):
            // A question may be asked again where its compressed answer can be read; an order would be carried out twice.
            if error.code == .malformedResponse, request.isRepeatable, !request.body.isStream,
                try loop.call(request) == nil
            {
                return try await fallback.send(request)
            }
            throw error
        }
    }

    /// The loop that the caller runs on, or the next one.
    private func pickLoop() -> UpstreamLoop? {
        if let current = loops.first(where: { $0.eventLoop.inEventLoop }) { return current }
        let next = MultiThreadedEventLoopGroup.singleton.next()
        return loops.first { $0.eventLoop === next } ?? loops.first
    }
}

extension HTTPTransportRequest {
    /// Whether it may be sent a second time without doing its work twice.
    var isRepeatable: Bool { method == "GET" || method == "HEAD" }
}

extension HTTPTransportRequest.Body {
    fileprivate var isStream: Bool {
        if case .stream = self { true } else { false }
    }
}

// One event loop of the transport, as tasks and other threads see it.

import ModelGateway
import NIOCore

/// Holds the connections of an event loop for code that may run anywhere.
final class UpstreamLoop: Sendable {
    let eventLoop: any EventLoop
    let executor: LoopExecutor
    private let connections: NIOLoopBoundBox<UpstreamConnections>

    init(_ eventLoop: any EventLoop, _ options: UpstreamOptions) {
        self.eventLoop = eventLoop
        executor = LoopExecutor(eventLoop)
        connections = NIOLoopBoundBox.makeBoxSendingValue(
            UpstreamConnections(eventLoop, options),
            eventLoop: eventLoop
        )
    }

    /// Prepares a call. On the event loop only.
    /// - Returns: Nil if the call is one for another transport.
    func call(_ request: HTTPTransportRequest) throws(GatewayError) -> UpstreamCallReference? {
        let connections = connections.value
        guard let origin = try connections.origin(of: request.url), !origin.engine.compressesUnasked else { return nil }
        let call = UpstreamCall(request, to: origin.engine, target: origin.target, in: connections)
        return UpstreamCallReference(call, on: eventLoop)
    }

    /// Whether no secure connection can be made yet. On the event loop only.
    var lacksTLS: Bool { connections.value.tls == nil }

    /// Says what secure connections are made with. On the event loop only.
    func secure(with tls: UpstreamTLS) { connections.value.tls = tls }

    /// Holds connections open for calls to come.
    /// - Parameter tls: What secure connections are made with, if they are to be secure.
    func keepWarm(_ count: Int, to url: String, with tls: UpstreamTLS?) {
        let connections = connections
        eventLoop.execute {
            if let tls { connections.value.tls = tls }
            connections.value.keepWarm(count, to: url)
        }
    }

    /// Closes what is not in use, and everything else after its use.
    func retire() {
        let connections = connections
        eventLoop.execute { connections.value.retire() }
    }
}

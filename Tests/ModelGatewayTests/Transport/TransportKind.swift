// The transports that keep the same promises, so that each is tested with all of them.

import ModelGateway
import ModelGatewayServer
import NIOCore

/// One of the transports that the project offers.
enum TransportKind: CaseIterable {
    case curl
    case eventLoop
    /// The event loop counts as busy, so that streams are read at longer and longer intervals.
    case busyEventLoop

    /// A transport with connections of its own, which uses one event loop.
    func make(room: ConnectionRoom = .process) throws -> any HTTPTransport {
        var options = CurlTransport.Options()
        options.room = room
        let curl = try CurlTransport(options: options)
        switch self {
        case .curl: return curl
        case .eventLoop: return Self.onLoop(curl, StreamPace(limit: .milliseconds(50)), room)
        case .busyEventLoop: return Self.onLoop(curl, StreamPace(limit: .milliseconds(20), busyShare: 0), room)
        }
    }

    private static func onLoop(_ curl: CurlTransport, _ pace: StreamPace, _ room: ConnectionRoom) -> any HTTPTransport {
        OneLoop(EventLoopTransport(fallback: curl, pace: pace, environment: { _ in false }, room: room))
    }
}

/// Sends everything on the same loop: connections are reused there only.
private struct OneLoop: HTTPTransport {
    let transport: EventLoopTransport
    let preferredExecutor: (any TaskExecutor)?

    init(_ transport: EventLoopTransport) {
        self.transport = transport
        preferredExecutor = transport.preferredExecutor
    }

    func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
        try await withTaskExecutorPreference(preferredExecutor) { () async throws(GatewayError) in
            try await transport.send(request)
        }
    }
}

/// All pairs of two collections, for a test that has a third one.
func pairs<First: Sendable, Second: Sendable>(_ first: [First], _ second: [Second]) -> [(First, Second)] {
    first.flatMap { left in second.map { (left, $0) } }
}

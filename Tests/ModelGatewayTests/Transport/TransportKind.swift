// The transports that keep the same promises, so that each is tested with all of them.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import NIOCore
import NIOSSL
import Synchronization
import TLSTesting

/// One of the transports that the project offers.
enum TransportKind: CaseIterable {
    case curl
    case eventLoop
    /// The event loop counts as busy, so that streams are read at longer and longer intervals.
    case busyEventLoop
    /// Each engine is reached over TLS.
    case secureEventLoop
    /// Each engine is reached over HTTP/2, which is spoken without asking.
    case http2
    /// Each engine is reached over HTTP/2 and TLS.
    case secureHTTP2

    /// Those that speak HTTP/1.1 with the engine itself, for tests of what only that has.
    static let http1: [TransportKind] = [.curl, .eventLoop, .busyEventLoop, .secureEventLoop]

    /// Those that reach an engine without anything in between, whose connections fail as the engine's do.
    static let direct: [TransportKind] = [.curl, .eventLoop, .busyEventLoop]

    /// A transport with connections of its own, which uses one event loop.
    func make(room: ConnectionRoom = .process) throws -> any HTTPTransport {
        var options = CurlTransport.Options()
        options.room = room
        options.proxy = .none
        let curl = try CurlTransport(options: options)
        switch self {
        case .curl: return curl
        case .secureEventLoop: return try Fronted(options, isSecure: true)
        case .http2, .secureHTTP2:
            options.http2 = .priorKnowledge
            return try Fronted(options, isSecure: self == .secureHTTP2)
        case .eventLoop: return Self.onLoop(curl, StreamPace(limit: .milliseconds(50)), room)
        case .busyEventLoop: return Self.onLoop(curl, StreamPace(limit: .milliseconds(20), busyShare: 0), room)
        }
    }

    /// A transport that speaks HTTP/2 with the server itself, without asking.
    static func multiplexed(
        tls: TLSOptions = TLSOptions(),
        room: ConnectionRoom = .process
    ) throws -> any HTTPTransport {
        var options = CurlTransport.Options()
        options.proxy = .none
        let curl = try CurlTransport(options: options)
        var settings = UpstreamOptions()
        settings.http2 = .priorKnowledge
        settings.room = room
        return OneLoop(EventLoopTransport(fallback: curl, tls: tls, options: settings))
    }

    private static func onLoop(_ curl: CurlTransport, _ pace: StreamPace, _ room: ConnectionRoom) -> any HTTPTransport {
        var options = UpstreamOptions()
        options.pace = pace
        options.room = room
        return OneLoop(EventLoopTransport(fallback: curl, options: options))
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

/// What stands before an engine.
private protocol Front: AnyObject, Sendable {
    var port: Int { get }
    func stop()
}

extension TLSFront: Front {}
extension HTTP2Front: Front {}

/// Puts an end of TLS, of HTTP/2 or of both before each engine that is called.
private final class Fronted: HTTPTransport {
    private let transport: OneLoop
    private let isSecure: Bool
    private let isHTTP2: Bool
    private let configuration: TLSConfiguration
    private let fronts = Lock<[UInt16: any Front]>([:])
    private let directory: CertificateDirectory

    init(_ options: CurlTransport.Options, isSecure: Bool) throws {
        self.isSecure = isSecure
        isHTTP2 = options.http2 != .off
        let authority = try TestAuthority()
        directory = try CertificateDirectory()
        configuration = try directory.server(try authority.issue(["localhost", "127.0.0.1"]))
        var options = options
        options.tls.caFile = try directory.write("ca.pem", authority.certificate)
        let curl = try CurlTransport(options: options)
        var settings = UpstreamOptions()
        settings.room = options.room
        settings.http2 = options.http2
        transport = OneLoop(EventLoopTransport(fallback: curl, tls: options.tls, options: settings))
    }

    deinit {
        for front in fronts.withLock({ $0.values }) { front.stop() }
    }

    var preferredExecutor: (any TaskExecutor)? { transport.preferredExecutor }

    func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
        guard let match = request.url.wholeMatch(of: /http:\/\/127\.0\.0\.1:(\d+)(.*)/), let port = UInt16(match.1)
        else {
            return try await transport.send(request)
        }
        var request = request
        do {
            request.url = "\(isSecure ? "https" : "http")://127.0.0.1:\(try await front(of: port))\(match.2)"
        } catch {
            throw GatewayError(.internalError, "The test has nothing before the engine: \(error).")
        }
        return try await transport.send(request)
    }

    private func front(of port: UInt16) async throws -> Int {
        if let front = fronts.withLock({ $0[port] }) { return front.port }
        let front: any Front =
            if isHTTP2 {
                try await HTTP2Front.start(to: Int(port), isSecure ? configuration : nil)
            } else {
                try await TLSFront.start(to: Int(port), configuration)
            }
        return fronts.withLock { fronts in
            let first = fronts[port] ?? front
            fronts[port] = first
            return first.port
        }
    }
}

/// All pairs of two collections, for a test that has a third one.
func pairs<First: Sendable, Second: Sendable>(_ first: [First], _ second: [Second]) -> [(First, Second)] {
    first.flatMap { left in second.map { (left, $0) } }
}

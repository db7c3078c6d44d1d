// A server whose HTTP/2 frames a test decides on, one by one.

import GatewayWire
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// Listens on loopback and asks the test what to send.
final class HTTP2Server: Sendable {
    /// A request as far as it has come.
    struct Request: Sendable {
        /// The connection, counted from 0.
        let connection: Int
        let stream: HTTP2StreamID
        var path = ""
        var method = ""
        var fields: [String: String] = [:]
        var body: [UInt8] = []
        /// Whether its end has come.
        var isWhole = false
    }

    /// Called for a request's head and again for each piece of its body.
    typealias Responder = @Sendable (Request, Connection) -> Void

    struct State: Sendable {
        /// Requests whose end has come.
        var requests: [Request] = []
        var resets: [(stream: HTTP2StreamID, code: HTTP2ErrorCode)] = []
        var connections = 0
        var openConnections = 0
        var pings = 0
        fileprivate var live: [Int: NIOLoopBound<Connection>] = [:]
    }

    fileprivate final class Shared: Sendable {
        let state = Lock(State())
    }

    let port: Int
    var url: String { "http://127.0.0.1:\(port)" }
    private let channel: any Channel
    private let shared: Shared

    var state: State { shared.state.withLock { $0 } }

    /// - Parameters:
    ///   - settings: What it says about itself.
    ///   - grants: Whether it lets clients send on when bytes have come in.
    static func start(
        _ settings: HTTP2Settings = [],
        grants: Bool = true,
        respond: @escaping Responder
    ) async throws -> HTTP2Server {
        let shared = Shared()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture {
                    let index = shared.state.withLock { state in
                        state.connections += 1
                        state.openConnections += 1
                        return state.connections - 1
                    }
                    let connection = Connection(index, shared, grants: grants, respond)
                    shared.state.withLock { $0.live[index] = NIOLoopBound(connection, eventLoop: client.eventLoop) }
                    try client.pipeline.syncOperations.addHandlers([
                        NIOHTTP2Handler(
                            mode: .server,
                            initialSettings: settings,
                            headerBlockValidation: .disabled,
                            contentLengthValidation: .disabled
                        ),
                        connection,
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return HTTP2Server(channel, shared)
    }

    private init(_ channel: any Channel, _ shared: Shared) {
        self.channel = channel
        self.shared = shared
        port = channel.localAddress?.port ?? 0
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Has something done on each open connection, and sent.
    func onEach(_ body: @escaping @Sendable (Connection) -> Void) {
        for connection in shared.state.withLock({ $0.live.values }) {
            connection.eventLoop.execute {
                body(connection.value)
                connection.value.flush()
            }
        }
    }

    /// Waits until its state is as wanted.
    func wait(for isReached: (State) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !isReached(state) {
            guard ContinuousClock.now < deadline else { throw NotReached(state: state) }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    struct NotReached: Error {
        let state: State
    }
}

extension HTTP2Server {
    /// A client's connection. Used on its event loop only.
    final class Connection: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame
        typealias OutboundOut = HTTP2Frame

        let index: Int
        private let shared: Shared
        private let grants: Bool
        private let respond: Responder
        private var context: ChannelHandlerContext?
        private(set) var requests: [HTTP2StreamID: Request] = [:]

        fileprivate init(_ index: Int, _ shared: Shared, grants: Bool, _ respond: @escaping Responder) {
            self.index = index
            self.shared = shared
            self.grants = grants
            self.respond = respond
        }

        // MARK: What a test sends

        func send(_ payload: HTTP2Frame.FramePayload, to stream: HTTP2StreamID = .rootStream) {
            context?.write(wrapOutboundOut(HTTP2Frame(streamID: stream, payload: payload)), promise: nil)
        }

        func head(_ stream: HTTP2StreamID, _ fields: [(String, String)] = [], status: Int = 200, isEnd: Bool = false) {
            let headers = HPACKHeaders([(":status", "\(status)")] + fields)
            send(.headers(.init(headers: headers, endStream: isEnd)), to: stream)
        }

        func data(_ stream: HTTP2StreamID, _ bytes: [UInt8], isEnd: Bool = false) {
            send(.data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes)), endStream: isEnd)), to: stream)
        }

        /// A whole answer.
        func answer(_ stream: HTTP2StreamID, _ text: String = "{}") {
            head(stream, [("content-type", "application/json")])
            data(stream, Array(text.utf8), isEnd: true)
        }

        func goAway(after last: HTTP2StreamID, _ code: HTTP2ErrorCode = .noError) {
            send(.goAway(lastStreamID: last, errorCode: code, opaqueData: nil))
        }

        func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
            send(.rstStream(code), to: stream)
        }

        /// Bytes that are not frames.
        func raw(_ bytes: [UInt8]) {
            let frames = try? context?.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
            frames?.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
        }

        func flush() {
            context?.flush()
        }

        func close() {
            context?.flush()
            context?.close(promise: nil)
        }

        // MARK: What comes in

        func handlerAdded(context: ChannelHandlerContext) {
            self.context = context
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            let id = frame.streamID
            switch frame.payload {
            case .headers(let block):
                var request = Request(connection: index, stream: id)
                for (name, value, _) in block.headers { request.fields[name] = value }
                request.path = request.fields[":path"] ?? ""
                request.method = request.fields[":method"] ?? ""
                request.isWhole = block.endStream
                take(request)
            case .data(let data):
                guard var request = requests[id], case .byteBuffer(let bytes) = data.data else { return }
                request.body += Array(bytes.readableBytesView)
                request.isWhole = data.endStream
                if grants, bytes.readableBytes > 0 {
                    send(.windowUpdate(windowSizeIncrement: bytes.readableBytes))
                    if !data.endStream { send(.windowUpdate(windowSizeIncrement: bytes.readableBytes), to: id) }
                }
                take(request)
            case .rstStream(let code):
                shared.state.withLock { $0.resets.append((id, code)) }
            case .ping(_, let isAnswer):
                if !isAnswer { shared.state.withLock { $0.pings += 1 } }
            default: break
            }
        }

        private func take(_ request: Request) {
            requests[request.stream] = request
            if request.isWhole { shared.state.withLock { $0.requests.append(request) } }
            respond(request, self)
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            context.flush()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            shared.state.withLock { state in
                state.openConnections -= 1
                state.live[index] = nil
            }
            self.context = nil
        }
    }
}

// A proxy of HTTP or SOCKS 5 on loopback that records what it is asked, and can behave badly.

import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Passes connections on. Whatever the host that it is asked for, it connects to this machine.
public final class TestProxy: Sendable {
    public enum Speech: String, Sendable, CaseIterable {
        case http
        case socks5h
    }

    public enum Behaviour: Sendable {
        case willing
        /// It sends these bytes for its answer and closes.
        case answers([UInt8])
        case cuts
        case silent
    }

    /// What it was asked: `CONNECT host:port`, a method and a URL, or `host:port` of SOCKS.
    public var asked: [String] { record.asked.withLock { $0 } }
    /// How many connections were made to it.
    public var connections: Int { record.connections.load(ordering: .relaxed) }
    public let port: Int
    public let url: String
    private let channel: any Channel
    private let record: Record

    final class Record: Sendable {
        let asked = Mutex<[String]>([])
        let connections = Atomic(0)
    }

    /// - Parameter credentials: A user name and a password that it wants, with a colon between them.
    public static func start(
        _ speech: Speech,
        credentials: String? = nil,
        _ behaviour: Behaviour = .willing
    ) async throws -> TestProxy {
        let record = Record()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: true)
            .childChannelInitializer { client in
                client.eventLoop.makeCompletedFuture {
                    record.connections.add(1, ordering: .relaxed)
                    let handler = ProxyHandler(speech, credentials: credentials, behaviour, record)
                    try client.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TestProxy(channel, speech, record)
    }

    private init(_ channel: any Channel, _ speech: Speech, _ record: Record) {
        self.channel = channel
        self.record = record
        port = channel.localAddress?.port ?? 0
        url = "\(speech.rawValue)://127.0.0.1:\(port)"
    }

    public func stop() {
        channel.close(promise: nil)
    }

    deinit {
        channel.close(promise: nil)
    }
}

private final class ProxyHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let speech: TestProxy.Speech
    private let credentials: String?
    private let behaviour: TestProxy.Behaviour
    private let record: TestProxy.Record
    private var received: [UInt8] = []
    private var hasGreeted = false
    private var isKnown = false
    private var isOver = false

    init(
        _ speech: TestProxy.Speech,
        credentials: String?,
        _ behaviour: TestProxy.Behaviour,
        _ record: TestProxy.Record
    ) {
        self.speech = speech
        self.credentials = credentials
        self.behaviour = behaviour
        self.record = record
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        received += unwrapInboundIn(data).readableBytesView
        switch behaviour {
        case .willing: if speech == .http { readHead(context) } else { readSOCKS(context) }
        case .answers(let bytes):
            isOver = true
            send(bytes, context)
            context.close(promise: nil)
        case .cuts: context.close(promise: nil)
        case .silent: break
        }
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func readHead(_ context: ChannelHandlerContext) {
        let text = String(decoding: received, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return }
        isOver = true
        var lines = text[..<end.lowerBound].split(separator: "\r\n").map(String.init)
        let words = lines[0].split(separator: " ").map(String.init)
        record.asked.withLock { $0.append("\(words[0]) \(words[1])") }
        if let credentials,
            !lines.contains("Proxy-Authorization: Basic \(Data(credentials.utf8).base64EncodedString())")
        {
            send(Array("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n".utf8), context)
            return context.close(promise: nil)
        }
        if words[0] == "CONNECT" {
            let port = Int(words[1].split(separator: ":").last ?? "") ?? 0
            return connect(to: port, context, answering: Array("HTTP/1.1 200 OK\r\nX-Proxy: yes\r\n\r\n".utf8))
        }
        let parts = words[1].split(separator: "/", maxSplits: 2).map(String.init)
        let port = Int(parts[1].split(separator: ":").last ?? "") ?? 80
        lines[0] = "\(words[0]) /\(parts.count > 2 ? parts[2] : "") HTTP/1.1"
        lines.removeAll { $0.lowercased().hasPrefix("proxy-") }
        let head = (lines + ["", ""]).joined(separator: "\r\n")
        connect(to: port, context, sending: Array((head + text[end.upperBound...]).utf8))
    }

    private func readSOCKS(_ context: ChannelHandlerContext) {
        if !hasGreeted {
            guard received.count >= 2, received.count >= 2 + Int(received[1]) else { return }
            hasGreeted = true
            let method: UInt8 = credentials == nil ? 0 : 2
            let isOffered = received[2..<2 + Int(received[1])].contains(method)
            send([5, isOffered ? method : 0xFF], context)
            received = []
            isKnown = credentials == nil
            return
        }
        if !isKnown {
            let name = Int(received[1])
            let user = String(decoding: received[2..<2 + name], as: UTF8.self)
            let password = String(decoding: received[(3 + name)...], as: UTF8.self)
            isKnown = "\(user):\(password)" == credentials
            send([1, isKnown ? 0 : 1], context)
            received = []
            return
        }
        isOver = true
        let host: String
        switch received[3] {
        case 1: host = received[4..<8].map { "\($0)" }.joined(separator: ".")
        case 3: host = String(decoding: received[5..<5 + Int(received[4])], as: UTF8.self)
        default: host = "an IPv6 address"
        }
        let port = Int(received[received.count - 2]) << 8 | Int(received[received.count - 1])
        record.asked.withLock { $0.append("\(host):\(port)") }
        connect(to: port, context, answering: [5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    }

    private func connect(
        to port: Int,
        _ context: ChannelHandlerContext,
        answering answer: [UInt8] = [],
        sending request: [UInt8] = []
    ) {
        let client = context.channel
        let isSOCKS = speech == .socks5h
        let bootstrap = ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
        bootstrap.connect(host: "127.0.0.1", port: port).assumeIsolated().whenComplete { result in
            guard case .success(let server) = result else {
                let refusal = isSOCKS ? [5, 5, 0, 1, 0, 0, 0, 0, 0, 0] : Array("HTTP/1.1 502 No\r\n\r\n".utf8)
                client.writeAndFlush(ByteBuffer(bytes: refusal), promise: nil)
                return client.close(promise: nil)
            }
            try? client.pipeline.syncOperations.addHandler(ConnectionPipe(to: server, isClean: true))
            try? server.pipeline.syncOperations.addHandler(ConnectionPipe(to: client, isClean: true))
            client.pipeline.syncOperations.removeHandler(self, promise: nil)
            if !answer.isEmpty { client.writeAndFlush(ByteBuffer(bytes: answer), promise: nil) }
            if !request.isEmpty { server.writeAndFlush(ByteBuffer(bytes: request), promise: nil) }
            server.setOption(.autoRead, value: true).whenComplete { _ in }
        }
    }
}

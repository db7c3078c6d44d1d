// A client that sends bytes as they are and shows what comes back, for requests that no proper client would make.

import GatewayWire
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// One TCP connection to a server on this machine.
final class RawClient: Sendable {
    private struct State {
        var received: [UInt8] = []
        var isEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// A response as it came, its body without chunk framing.
    struct Answer: Sendable {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: String
        /// Whether the framing said that the body is all there.
        var isComplete: Bool

        func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name }?.value
        }
    }

    struct Ended: Error {}

    private let channel: any Channel
    private let state: Collector

    private final class Collector: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let state = Lock(State())
        /// The protocol of a handshake, once it is over.
        let negotiated: AsyncStream<String?>
        private let negotiation: AsyncStream<String?>.Continuation

        init() {
            (negotiated, negotiation) = AsyncStream.makeStream()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case TLSUserEvent.handshakeCompleted(let name) = event else { return }
            negotiation.yield(name)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            update { $0.received.append(contentsOf: buffer.readableBytesView) }
        }

        func channelInactive(context: ChannelHandlerContext) {
            negotiation.finish()
            update { $0.isEnded = true }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            update { $0.isEnded = true }
            context.close(promise: nil)
        }

        func update(_ change: (inout sending State) -> Void) {
            let waiters = state.withLock { state in
                change(&state)
                let waiters = state.waiters
                state.waiters = []
                return waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    private init(channel: any Channel, state: Collector) {
        self.channel = channel
        self.state = state
    }

    /// Connects.
    /// - Parameters:
    ///   - sending: What is sent as soon as the connection stands, however busy the test's own threads are.
    ///   - preface: Bytes that come before everything else, TLS included.
    ///   - reads: False for a client that never reads; its receive buffer is then kept small.
    ///   - tls: With what the connection is made secure, and the name that the server is asked for.
    static func connect(
        to port: Int,
        sending: String? = nil,
        preface: [UInt8] = [],
        reads: Bool = true,
        tls: (context: NIOSSLContext, name: String?)? = nil
    ) async throws -> RawClient {
        let collector = Collector()
        var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls, preface.isEmpty {
                        let handler = try NIOSSLClientHandler(context: tls.context, serverHostname: tls.name)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(collector)
                }
            }
        if !reads { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: 4096) }
        let connected = bootstrap.connect(host: "127.0.0.1", port: port).flatMapThrowing { channel in
            guard !preface.isEmpty else { return channel }
            channel.writeAndFlush(ByteBuffer(bytes: preface), promise: nil)
            if let tls {
                let handler = try NIOSSLClientHandler(context: tls.context, serverHostname: tls.name)
                try channel.pipeline.syncOperations.addHandler(handler, position: .first)
            }
            return channel
        }.flatMap { (channel: any Channel) in
            let sent = sending.map { channel.writeAndFlush(ByteBuffer(string: $0)) }
            return (sent ?? channel.eventLoop.makeSucceededVoidFuture()).map { channel }
        }
        return RawClient(channel: try await connected.get(), state: collector)
    }

    /// Connects for the time of `body`.
    static func with<Result>(
        port: Int,
        sending: String? = nil,
        tls: (context: NIOSSLContext, name: String?)? = nil,
        _ body: (RawClient) async throws -> Result
    ) async throws -> Result {
        let client = try await connect(to: port, sending: sending, tls: tls)
        do {
            let result = try await body(client)
            try await client.close()
            return result
        } catch {
            try await client.close()
            throw error
        }
    }

    /// The protocol that the handshake of TLS has ended with.
    func negotiatedProtocol() async -> String? {
        for await name in state.negotiated { return name }
        return nil
    }

    func send(_ text: String) async throws {
        try await channel.writeAndFlush(ByteBuffer(string: text))
    }

    func send(bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// Sends a request, with the length of its body.
    func post(
        _ body: String,
        to path: String = "/v1/chat/completions",
        headers: [String] = [],
        version: String = "1.1"
    ) async throws {
        try await send(Self.request(body, to: path, headers: headers, version: version))
    }

    static func request(
        _ body: String,
        to path: String = "/v1/chat/completions",
        headers: [String] = [],
        version: String = "1.1"
    ) -> String {
        let lines = [
            "POST \(path) HTTP/\(version)", "Host: x", "Content-Type: application/json",
            "Content-Length: \(body.utf8.count)",
        ]
        return (lines + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    func get(_ path: String, headers: [String] = [], method: String = "GET") async throws {
        try await send((["\(method) \(path) HTTP/1.1", "Host: x"] + headers).joined(separator: "\r\n") + "\r\n\r\n")
    }

    func startReading() async throws {
        try await channel.setOption(.autoRead, value: true).get()
    }

    func close() async throws {
        channel.close(promise: nil)
        try await channel.closeFuture.get()
    }

    /// Ends only this side, as a client does that has nothing more to say.
    func finishSending() async throws {
        try await channel.close(mode: .output)
    }

    // MARK: Receiving

    /// Waits until what was received satisfies `condition`, or the connection ended.
    func wait<Value>(for condition: ([UInt8], Bool) -> Value?) async throws -> Value {
        while true {
            let (value, count, isEnded) = state.state.withLock { state in
                (condition(state.received, state.isEnded), state.received.count, state.isEnded)
            }
            if let value { return value }
            if isEnded { throw Ended() }
            await withCheckedContinuation { continuation in
                let isLate = state.state.withLock { state in
                    if state.received.count != count || state.isEnded { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if isLate { continuation.resume() }
            }
        }
    }

    /// Everything up to the end of the connection.
    func receiveToEnd() async throws -> [UInt8] {
        try await wait { bytes, isEnded in isEnded ? bytes : nil }
    }

    func receive(until text: String) async throws -> String {
        try await wait { bytes, _ in
            let received = String(decoding: bytes, as: UTF8.self)
            return received.contains(text) ? received : nil
        }
    }

    var receivedCount: Int { state.state.withLock { $0.received.count } }

    /// Takes one response off the front of what was received.
    func answer(toHead: Bool = false) async throws -> Answer {
        let (answer, count) = try await wait { bytes, isEnded in
            AnswerParser(bytes: bytes, isEnded: isEnded, isHead: toHead).parse()
        }
        state.state.withLock { $0.received.removeFirst(count) }
        return answer
    }
}

/// Reads one response off received bytes.
private struct AnswerParser {
    let bytes: [UInt8]
    let isEnded: Bool
    let isHead: Bool

    func parse() -> (RawClient.Answer, Int)? {
        guard let headEnd = find([13, 10, 13, 10], from: 0) else { return nil }
        let lines = String(decoding: bytes[..<headEnd], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first, let status = Int(first.split(separator: " ")[1]) else { return nil }
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: String(parts[0]), value: parts.count > 1 ? parts[1].trimmingSpaces() : "")
        }
        var answer = RawClient.Answer(status: status, headers: headers, body: "", isComplete: true)
        let start = headEnd + 4
        if isHead || status < 200 || status == 204 { return (answer, start) }
        if let length = answer.header("content-length").flatMap({ Int($0) }) {
            guard bytes.count >= start + length else { return cut(answer, from: start) }
            answer.body = String(decoding: bytes[start..<start + length], as: UTF8.self)
            return (answer, start + length)
        }
        if answer.header("transfer-encoding") == "chunked" { return chunked(answer, from: start) }
        guard isEnded else { return nil }
        answer.body = String(decoding: bytes[start...], as: UTF8.self)
        return (answer, bytes.count)
    }

    private func chunked(_ answer: RawClient.Answer, from start: Int) -> (RawClient.Answer, Int)? {
        var answer = answer
        var body: [UInt8] = []
        var position = start
        while let lineEnd = find([13, 10], from: position),
            let size = Int(String(decoding: bytes[position..<lineEnd], as: UTF8.self), radix: 16),
            bytes.count >= lineEnd + 4 + size
        {
            body.append(contentsOf: bytes[(lineEnd + 2)..<(lineEnd + 2 + size)])
            position = lineEnd + 4 + size
            if size == 0 {
                answer.body = String(decoding: body, as: UTF8.self)
                return (answer, position)
            }
        }
        guard isEnded else { return nil }
        answer.body = String(decoding: body, as: UTF8.self)
        answer.isComplete = false
        return (answer, bytes.count)
    }

    private func cut(_ answer: RawClient.Answer, from start: Int) -> (RawClient.Answer, Int)? {
        guard isEnded else { return nil }
        var answer = answer
        answer.body = String(decoding: bytes[start...], as: UTF8.self)
        answer.isComplete = false
        return (answer, bytes.count)
    }

    private func find(_ pattern: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= start + pattern.count else { return nil }
        return (start...(bytes.count - pattern.count)).first { bytes[$0..<$0 + pattern.count].elementsEqual(pattern) }
    }
}

extension Substring {
    fileprivate func trimmingSpaces() -> String {
        String(drop { $0 == " " })
    }
}

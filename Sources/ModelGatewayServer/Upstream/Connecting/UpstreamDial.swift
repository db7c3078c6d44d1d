// The way to an engine: the addresses of a name, TCP to the first of them that answers, the consent of a proxy. What is
// spoken on the connection then, be it TLS or HTTP, is not its business.

import GatewayWire
import ModelGateway
import NIOCore
import NIOPosix

/// One attempt to open a connection. Used on its event loop only.
///
/// All addresses of a name are tried, those of IPv6 and IPv4 in turn, each 250 ms after the one before it or as soon as that
/// has failed; the first that connects wins (RFC 8305).
final class UpstreamDial {
    /// Takes a channel that stands and does not read yet, or the reason why there is none.
    typealias End = (Result<any Channel, GatewayError>) -> Void

    private let address: UpstreamAddress
    private let eventLoop: any EventLoop
    private let names: UpstreamOptions.Names?
    /// The channels that are being connected.
    private var candidates: [any Channel] = []
    private var onTunnel: (() -> Void)?
    private var end: End?

    /// - Parameters:
    ///   - address: Where to.
    ///   - names: The addresses of names; nil has the system asked.
    init(to address: UpstreamAddress, on eventLoop: any EventLoop, names: UpstreamOptions.Names?) {
        self.address = address
        self.eventLoop = eventLoop
        self.names = names
    }

    /// Begins.
    /// - Parameters:
    ///   - onTunnel: Called when a proxy is connected to and asked.
    ///   - end: Called once, unless the attempt is cancelled.
    func begin(onTunnel: @escaping () -> Void, end: @escaping End) {
        self.onTunnel = onTunnel
        self.end = end
        connect().assumeIsolated().whenComplete { self.connected($0) }
    }

    /// Gives up: what is being connected is closed at once.
    func cancel() {
        end = nil
        for channel in candidates { channel.close(promise: nil) }
        candidates = []
    }

    // MARK: TCP

    private func connect() -> EventLoopFuture<any Channel> {
        let dial = NIOLoopBound(self, eventLoop: eventLoop)
        var bootstrap = ClientBootstrap(group: eventLoop)
            // The call that waits has a limit of its own.
            .connectTimeout(.hours(24))
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try dial.value.add(channel) }
            }
        if case .socket(let path) = address.route { return bootstrap.connect(unixDomainSocketPath: path) }
        bootstrap =
            bootstrap
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
        let (host, port) = address.proxy.map { ($0.host, $0.port) } ?? (address.host, address.port)
        if let address = try? SocketAddress(ipAddress: host, port: port) { return bootstrap.connect(to: address) }
        let resolver = names.map { GivenAddresses(eventLoop: eventLoop, addresses: $0) }
        return bootstrap.resolver(resolver).connect(host: host, port: port)
    }

    private func add(_ channel: any Channel) throws {
        guard end != nil else { throw ChannelError.ioOnClosedChannel }
        candidates.append(channel)
    }

    private func connected(_ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            guard end != nil else { return channel.close(promise: nil) }
            candidates = [channel]
            passProxy(channel)
        case .failure(let error):
            finish(.failure(.upstreamUnreachable(error, isProxy: address.proxy != nil)))
        }
    }

    private func finish(_ result: Result<any Channel, GatewayError>) {
        let end = end
        self.end = nil
        if case .failure = result { for channel in candidates { channel.close(promise: nil) } }
        candidates = []
        end?(result)
    }

    // MARK: Proxies

    private func passProxy(_ channel: any Channel) {
        guard let proxy = address.proxy, proxy.kind != .http || address.isSecure else {
            return finish(.success(channel))
        }
        onTunnel?()
        let target = TunnelTarget(host: address.host, port: address.port)
        if proxy.kind == .http {
            shakeHands(ConnectHandshake(to: target, by: proxy), on: channel)
        } else {
            shakeHands(SOCKSHandshake(to: target, by: proxy), on: channel)
        }
    }

    private func shakeHands(_ handshake: some TunnelHandshake, on channel: any Channel) {
        let handler = TunnelHandler(handshake) { mistake in
            self.finish(mistake.map { .failure(TransportFailure.tunnelFailed($0)) } ?? .success(channel))
        }
        do {
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            finish(.failure(TransportFailure.tunnelFailed(.cut)))
        }
    }
}

// The handshake with a SOCKS 5 proxy (RFC 1928), with a user name and a password if its URL has them (RFC 1929).
//
// Of our own, because that of swift-nio-extras knows no user names.

import GatewaySystem
import ModelGateway

struct SOCKSHandshake: TunnelHandshake {
    private enum State {
        case method
        case credentials
        case connection
    }

    private let target: TunnelTarget
    private let user: String?
    private let password: Secret?
    private var state = State.method
    private var received: [UInt8] = []

    init(to target: TunnelTarget, by proxy: ProxyServer) {
        self.target = target
        user = proxy.user
        password = proxy.password
    }

    func begin() -> [UInt8] { user == nil ? [5, 1, 0] : [5, 2, 0, 2] }

    mutating func received(_ bytes: [UInt8]) -> TunnelStep {
        received += bytes
        guard received.count >= 2 else { return .wait }
        switch state {
        case .method: return chosen(received[1])
        case .credentials:
            let isGood = received[1] == 0
            received.removeFirst(2)
            return isGood ? request() : .failed(.refusesCredentials)
        case .connection: return connected()
        }
    }

    private mutating func chosen(_ method: UInt8) -> TunnelStep {
        guard received[0] == 5, received.count == 2 else { return .failed(.notUnderstood("SOCKS 5")) }
        received = []
        switch method {
        case 0: return request()
        case 2:
            guard let user else { return .failed(.notUnderstood("SOCKS 5")) }
            let (name, secret) = (Array(user.utf8), Array((password?.reveal() ?? "").utf8))
            guard (1...255).contains(name.count), secret.count <= 255 else { return .failed(.refusesCredentials) }
            state = .credentials
            return .send([1, UInt8(name.count)] + name + [UInt8(secret.count)] + secret)
        default: return .failed(user == nil ? .wantsCredentials : .refusesCredentials)
        }
    }

    private mutating func request() -> TunnelStep {
        let place: [UInt8]
        if let address = IPAddress(target.host) {
            place = [address.isV4 ? 1 : 4] + address.bytes
        } else {
            let name = Array(target.host.utf8)
            guard name.count <= 255 else { return .failed(.failed("the host name is too long")) }
            place = [3, UInt8(name.count)] + name
        }
        state = .connection
        return .send([5, 1, 0] + place + [UInt8(target.port >> 8), UInt8(target.port & 0xFF)])
    }

    private func connected() -> TunnelStep {
        guard received[0] == 5 else { return .failed(.notUnderstood("SOCKS 5")) }
        guard received[1] == 0 else { return .failed(.failed(Self.reason(received[1]))) }
        guard received.count >= 5 else { return .wait }
        let length: Int
        switch received[3] {
        case 1: length = 4
        case 3: length = 1 + Int(received[4])
        case 4: length = 16
        default: return .failed(.notUnderstood("SOCKS 5"))
        }
        // The provider speaks after it was spoken to, so nothing may follow yet.
        if received.count > 6 + length { return .failed(.notUnderstood("SOCKS 5")) }
        return received.count == 6 + length ? .done : .wait
    }

    private static func reason(_ reply: UInt8) -> String {
        switch reply {
        case 2: "not allowed by its rules"
        case 3: "network unreachable"
        case 4: "host unreachable"
        case 5: "connection refused"
        case 6: "the time ran out"
        case 7: "it does not connect"
        case 8: "it does not take this kind of address"
        default: "general failure"
        }
    }
}

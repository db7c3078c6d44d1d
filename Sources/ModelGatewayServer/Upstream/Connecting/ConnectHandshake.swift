// The tunnel of an HTTP proxy (RFC 9110 §9.3.6).

import GatewayWire
import ModelGateway

struct ConnectHandshake: TunnelHandshake {
    private let target: TunnelTarget
    private let authorization: String?
    private var reader = HTTPResponseReader(maxHeadSize: 64 << 10)
    private var status = 0

    init(to target: TunnelTarget, by proxy: ProxyServer) {
        self.target = target
        authorization = proxy.authorization
        // An answer that opens a tunnel has no body.
        reader.begin(expectsBody: false)
    }

    func begin() -> [UInt8] {
        let authority = (target.host.contains(":") ? "[\(target.host)]" : target.host) + ":\(target.port)"
        let credentials = authorization.map { "Proxy-Authorization: \($0)\r\n" } ?? ""
        return Array(
            "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\n\(credentials)User-Agent: ModelGateway\r\n\r\n".utf8
        )
    }

    mutating func received(_ bytes: [UInt8]) -> TunnelStep {
        var status: Int?
        let count: Int
        do throws(HTTPResponseError) {
            count = try bytes.withBytes { bytes throws(HTTPResponseError) in
                try reader.read(bytes, onHead: { status = $0.status }, onBody: { _ in })
            }
        } catch {
            return .failed(.notUnderstood("HTTP"))
        }
        guard let status else { return .wait }
        switch status {
        // The provider speaks after it was spoken to, so nothing may follow yet.
        case 200..<300: return count == bytes.count ? .done : .failed(.notUnderstood("HTTP"))
        case 407: return .failed(authorization == nil ? .wantsCredentials : .refusesCredentials)
        default: return .failed(.refused(status: status))
        }
    }
}

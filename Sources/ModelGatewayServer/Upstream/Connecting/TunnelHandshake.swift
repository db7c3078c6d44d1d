// What a proxy is asked before it passes bytes on, as values without I/O.

import ModelGateway

/// A handshake with a proxy.
protocol TunnelHandshake {
    /// The bytes that it begins with.
    func begin() -> [UInt8]

    /// Takes what the proxy sent.
    mutating func received(_ bytes: [UInt8]) -> TunnelStep
}

/// What is to be done next.
enum TunnelStep: Equatable {
    case wait
    case send([UInt8])
    /// The proxy is connected to the provider.
    case done
    case failed(TransportFailure.TunnelMistake)
}

/// How a host and port are named to a proxy.
struct TunnelTarget: Hashable {
    /// A name, or an address of IPv6 without its brackets.
    let host: String
    let port: Int
}

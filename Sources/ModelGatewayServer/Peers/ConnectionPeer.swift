// Who is at the other end of a connection.

import GatewaySystem
import ModelGateway
import NIOCore

/// What is known of a connection's other end, before any request.
final class ConnectionPeer: Sendable {
    /// What its requests are from, if no header says otherwise.
    let sender: RequestSender
    /// The client's address, as the socket or a header of the PROXY protocol has it.
    let address: IPAddress?
    /// Whether it is a program on this machine, and not one that passes on what others send.
    let isLocal: Bool
    /// Whether it is a proxy whose headers are believed.
    let isTrusted: Bool

    init(sender: RequestSender, address: IPAddress?, isLocal: Bool, isTrusted: Bool) {
        self.sender = sender
        self.address = address
        self.isLocal = isLocal
        self.isTrusted = isTrusted
    }

    /// The address under which the connection counts. A proxy's is that of many clients, and does not.
    var countedAddress: ClientAddress? { isTrusted ? nil : address.map { ClientAddress($0) } }
}

extension IPAddress {
    /// The address of a socket; nil for one that has none.
    init?(_ address: SocketAddress?) {
        guard let address else { return nil }
        let bytes = address.withSockAddr { start, size in Array(UnsafeRawBufferPointer(start: start, count: size)) }
        switch address.protocol {
        case .inet where bytes.count >= 8: self.init(bytes[4..<8])
        case .inet6 where bytes.count >= 24: self.init(bytes[8..<24])
        default: return nil
        }
    }
}

// The client as the headers of proxies name it: the nearest address that is not one of a trusted proxy.

import GatewaySystem
import GatewayWire
import ModelGateway

/// What `x-forwarded-for` or `forwarded` says, as far as it can be believed.
struct ForwardedClient: Equatable {
    /// Nil if the nearest entry is not an address: the proxy hides its client, or does not know it.
    var address: IPAddress?
    /// Whether the client spoke TLS with its proxy; nil if nothing says so.
    var isSecure: Bool?

    /// Reads the headers of a request that a trusted proxy has passed on.
    ///
    /// Everybody on the way appends the address that it was called from, so the list is read from its end: what trusted
    /// proxies wrote is believed, up to the first address that is not one of theirs. What stands before it could have been
    /// written by anybody.
    /// - Returns: Nil if there is no such header.
    static func read(
        _ header: ForwardedHeader,
        values: (String) -> [String],
        isTrusted: (IPAddress) -> Bool
    ) -> ForwardedClient? {
        let entries: [(address: String, scheme: String?)]
        switch header {
        case .xForwardedFor:
            let schemes = values("x-forwarded-proto").flatMap(HTTPList.elements)
            let list = values("x-forwarded-for").flatMap(HTTPList.elements)
            entries = list.enumerated().map { index, address in
                // One for all, or one for each.
                let place = schemes.count == list.count ? index : schemes.count - 1
                return (address, schemes.indices.contains(place) ? schemes[place] : nil)
            }
        case .forwarded:
            entries = values("forwarded").flatMap(HTTPList.elements).map { element in
                let parameters = HeaderParameters.read(element)
                return (
                    parameters.first { $0.name == "for" }?.value ?? "", parameters.first { $0.name == "proto" }?.value
                )
            }
        }
        var client: ForwardedClient?
        for entry in entries.reversed() {
            let address = Self.address(entry.address)
            client = ForwardedClient(address: address, isSecure: entry.scheme.map { $0.lowercased() == "https" })
            guard let address, isTrusted(address) else { break }
        }
        return client
    }

    /// An address, maybe with a port.
    private static func address(_ text: String) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        guard let colon = text.lastIndex(of: ":"), text[..<colon].contains(".") || text[..<colon].hasSuffix("]") else {
            return nil
        }
        return IPAddress(text[..<colon])
    }
}

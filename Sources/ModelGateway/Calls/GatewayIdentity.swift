// Who this gateway is among others, so that no call travels in a circle.

import GatewayWire

/// The name under which a gateway marks the calls that it passes on, and knows them again when they come back.
package struct GatewayIdentity: Sendable {
    /// Random, and another one each time that a gateway is made.
    package let id: String
    /// The lines of a call that began here.
    private let firstHop: [HTTPHeader]

    /// The header with the ids of all gateways that a call went through, besides `via`, which proxies may cut short.
    package static let header = "x-gateway-hop"
    /// The header with which a gateway says who it is.
    package static let idHeader: StaticString = "x-gateway-id"
    /// The most gateways that a call goes through.
    package static let hopLimit = 8

    package init(id: String = RandomID.make(prefix: "", length: 16)) {
        self.id = id
        firstHop = [HTTPHeader(Self.header, id), HTTPHeader("via", "1.1 modelgateway-\(id)")]
    }

    /// The lines that mark a request of our own.
    package var marks: [HTTPHeader] { firstHop }

    /// The lines that mark a client's request once it has gone through here.
    /// - Throws: ``GatewayError/Code/loopDetected`` if it did before, or went through too many gateways.
    package func marks(after headers: [HTTPHeader]) throws(GatewayError) -> [HTTPHeader] {
        let hops = Self.entries(headers, Self.header)
        let vias = Self.entries(headers, "via")
        guard !hops.isEmpty || !vias.isEmpty else { return firstHop }
        try check(hops: hops, vias: vias)
        return [
            HTTPHeader(Self.header, (hops + [id]).joined(separator: ", ")),
            HTTPHeader("via", (vias + ["1.1 modelgateway-\(id)"]).joined(separator: ", ")),
        ]
    }

    /// - Throws: ``GatewayError/Code/loopDetected`` if the request has been here before, or went through too many gateways.
    package func check(_ headers: [HTTPHeader]) throws(GatewayError) {
        try check(hops: Self.entries(headers, Self.header), vias: Self.entries(headers, "via"))
    }

    private func check(hops: [String], vias: [String]) throws(GatewayError) {
        let name = "modelgateway-\(id)"
        if hops.contains(id) || vias.contains(where: { $0.split(separator: " ").contains(name[...]) }) {
            throw GatewayError(
                .loopDetected,
                "The call has come back to the gateway that it came from: one of its workers or deployments leads here."
            )
        }
        guard hops.count < Self.hopLimit else {
            throw GatewayError(
                .loopDetected,
                "The call went through \(hops.count) gateways; at most \(Self.hopLimit) are allowed."
            )
        }
    }

    private static func entries(_ headers: [HTTPHeader], _ name: String) -> [String] {
        headers.filter { $0.isNamed(name) }.flatMap { HTTPList.elements($0.value) }
    }
}

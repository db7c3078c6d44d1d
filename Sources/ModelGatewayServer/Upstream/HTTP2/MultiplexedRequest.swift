// The head of a request as HTTP/2 has it.

import GatewayWire
import ModelGateway
import NIOHPACK

/// Makes the header lines of requests.
enum MultiplexedRequest {
    /// The lines of a request that has been checked.
    static func headers(of call: UpstreamCall) -> HPACKHeaders {
        let request = call.request
        let address = call.origin.address
        var headers = HPACKHeaders()
        headers.reserveCapacity(request.headers.count + 8)
        headers.add(name: ":method", value: request.method)
        headers.add(name: ":scheme", value: address.isSecure ? "https" : "http")
        headers.add(name: ":authority", value: address.authority)
        headers.add(name: ":path", value: call.target)
        var hasAgent = false
        var hasEncoding = false
        for header in request.headers {
            let name = lowercased(header.name)
            switch name {
            case "host", "expect", "connection", "content-length", "transfer-encoding", "keep-alive",
                "proxy-connection", "upgrade", "te":
                continue
            case "user-agent": hasAgent = true
            case "accept-encoding": hasEncoding = true
            default: break
            }
            headers.add(name: name, value: header.value)
        }
        if !hasAgent { headers.add(name: "user-agent", value: "ModelGateway") }
        if !hasEncoding { headers.add(name: "accept-encoding", value: "identity") }
        if let length = length(of: request) { headers.add(name: "content-length", value: String(length)) }
        return headers
    }

    private static func length(of request: HTTPTransportRequest) -> Int? {
        switch request.body {
        case .bytes(let bytes): bytes.count
        case .stream(_, let length): length
        case .none: UpstreamRequest.saysLength(request) ? 0 : nil
        }
    }

    private static func lowercased(_ name: String) -> String {
        name.utf8.contains { (0x41...0x5A).contains($0) } ? name.lowercased() : name
    }
}

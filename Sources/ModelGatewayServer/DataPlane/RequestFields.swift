// What the data plane needs from a request's header lines, taken in one pass without building a dictionary.

import ModelGateway
import NIOHTTP1

/// The header lines of a model call that matter to the server or to the gateway.
struct RequestFields {
    var authorization: String?
    var apiKey: String?
    var requestID: String?
    var contentType: String?
    var contentLength: Int?
    var isChunked = false
    var expectation: String?
    var host: String?
    /// Whether a proxy or another gateway passed the request on.
    var isPassedOn = false
    var hostCount = 0
    /// What the body is encoded as, if it is.
    var contentCoding: String?
    /// Lines that the gateway may act on or send upstream.
    var forwarded: [HTTPHeader] = []

    /// Reads the lines of a request head. NIO's decoder has refused heads with two lengths or an odd framing already.
    /// - Parameter further: Names of lines to forward besides the ones that always are.
    init(_ headers: HTTPHeaders, further: [String] = []) {
        for (name, value) in headers {
            switch name.utf8.count {
            case 4 where HeaderText.equals(name, "host"):
                host = value
                hostCount += 1
            case 6 where HeaderText.equals(name, "expect"): expectation = value
            case 9 where HeaderText.equals(name, "x-api-key"): apiKey = value
            case 12 where HeaderText.equals(name, "content-type"): contentType = value
            case 12 where HeaderText.equals(name, "x-request-id"): requestID = value
            case 13 where HeaderText.equals(name, "authorization"): authorization = value
            case 14 where HeaderText.equals(name, "content-length"): contentLength = Int(value)
            case 16 where HeaderText.equals(name, "content-encoding"):
                contentCoding = contentCoding ?? RequestBody.coding(value)
            case 17 where HeaderText.equals(name, "transfer-encoding"): isChunked = true
            default:
                if Self.isLeftByProxy(name) { isPassedOn = true }
                if Self.isForwarded(name) || further.contains(where: { HeaderText.equals(name, $0) }) {
                    forwarded.append(HTTPHeader(name, value))
                }
            }
        }
    }

    /// Whether a line is one that proxies add.
    static func isLeftByProxy(_ name: String) -> Bool {
        switch name.utf8.count {
        case 3: HeaderText.equals(name, "via")
        case 9: HeaderText.equals(name, "forwarded") || HeaderText.equals(name, "x-real-ip")
        case 15: HeaderText.equals(name, "x-forwarded-for")
        case 16: HeaderText.equals(name, "x-forwarded-host")
        default: false
        }
    }

    /// The first letters of the names that are forwarded, so that most lines are passed over at their first byte.
    static func isForwarded(_ name: String) -> Bool {
        switch name.utf8.first.map({ $0 | 0x20 }) {
        case UInt8(ascii: "x"):
            HeaderText.hasPrefix(name, "x-gateway-") || HeaderText.hasPrefix(name, "x-smg-")
                || HeaderText.equals(name, "x-session-id") || HeaderText.equals(name, "x-claude-code-session-id")
        case UInt8(ascii: "o"): HeaderText.hasPrefix(name, "openai-")
        case UInt8(ascii: "a"): HeaderText.hasPrefix(name, "anthropic-")
        case UInt8(ascii: "i"): HeaderText.equals(name, "idempotency-key")
        case UInt8(ascii: "v"): HeaderText.equals(name, "via")
        case UInt8(ascii: "t"): HeaderText.equals(name, "traceparent") || HeaderText.equals(name, "tracestate")
        default: false
        }
    }

    /// What the lines show of the sender.
    func credentials(isPeerLocal: Bool) -> Credentials {
        Credentials(
            authorization: authorization,
            apiKey: apiKey,
            host: host,
            isForwarded: isPassedOn,
            isPeerLocal: isPeerLocal
        )
    }
}

extension [HTTPHeader] {
    /// The value of the first line with this name.
    func value(of name: StaticString) -> String? {
        first { HeaderText.equals($0.name, name) }?.value
    }
}

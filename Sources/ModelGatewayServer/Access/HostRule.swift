// Which host a request asks: exactly one, or somebody on the way may have understood another one.

import ModelGateway

extension Exchange {
    /// Whether it is clear which host is asked (RFC 9112 §3.2): one `host` line, which only HTTP/1.0 may leave out.
    func isHostClear(count: Int) -> Bool { count == 1 || count == 0 && !isModern }
}

extension GatewayError {
    /// A request without a `host` line, or with several.
    static func unclearHost(count: Int) -> GatewayError {
        GatewayError(
            .invalidRequest,
            count == 0
                ? "The request has no 'host' header; HTTP/1.1 needs one."
                : "The request has \(count) 'host' headers; send one."
        )
    }
}

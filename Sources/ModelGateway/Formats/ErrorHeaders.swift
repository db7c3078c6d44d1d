// The header lines of an error, in whatever format its body is.

extension Format {
    /// The header lines that belong to an error: its media type, when to come back, how to authenticate, how many attempts
    /// were made (and for admins where the last one went), and the quota and the id of the call that the upstream told.
    package func headers(of error: GatewayError, to caller: Caller = .client) -> [HTTPHeader] {
        var headers = [HTTPHeader("content-type", "application/json")]
        // A client that is told to come back is told when, even if nobody knows.
        let isTemporary = error.status == 429 || error.status == 503
        if let wait = error.retryAfter ?? (isTemporary ? .seconds(1) : nil) {
            // Whole seconds rounded up: a client that comes back too early is refused again.
            let seconds = wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0)
            headers.append(HTTPHeader("retry-after", String(max(seconds, 1))))
        }
        headers += error.upstream?.headers ?? []
        if error.code == .unauthenticated {
            headers.append(HTTPHeader("www-authenticate", "Bearer"))
        }
        if let attempts = error.attempts { headers.append(HTTPHeader("x-gateway-attempts", String(attempts))) }
        if caller == .admin, let deployment = error.deployment {
            headers.append(HTTPHeader("x-gateway-deployment", deployment))
        }
        return headers
    }
}

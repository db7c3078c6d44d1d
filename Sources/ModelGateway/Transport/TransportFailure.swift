// What a failed call to a provider is called, in the same words whichever transport made it.

/// The failures that every transport knows. None of them names a host or an address.
package enum TransportFailure {
    /// The phases of a call, as a person would name them.
    package enum Phase: String, Sendable {
        case resolving = "resolving the host name"
        case connecting = "connecting"
        case tunnel = "waiting for the proxy's answer"
        case tlsHandshake = "the TLS handshake"
        case agreeing = "agreeing on HTTP/2"
        case sending = "sending the request"
        case waiting = "waiting for the first byte of the answer"
        case readingHead = "reading the head of the answer"
        case readingBody = "reading the body of the answer"
    }

    /// The reason when the system gives none.
    package static let connectionFailed = "the connection failed"
    /// The reason when the system gives none for an established connection.
    package static let connectionClosed = "the connection was closed"
    /// The reason for a certificate that is not one of the pinned ones.
    package static let notPinned = "the server's key is not one of those that are pinned"
    /// The reason for a client that has no certificate.
    package static let wantsCertificate = "the server wants a client certificate"
    /// The reason for a name without an address.
    package static let unresolved = "its host name does not resolve"

    /// The caller gave up on the call.
    package static func cancelled(wasSent: Bool) -> GatewayError {
        GatewayError(.cancelled, "The call was cancelled.", requestWasSent: wasSent)
    }

    /// A time limit has passed.
    /// - Parameter limit: Its name: `connect`, `first-byte`, `idle` or `total`.
    package static func timedOut(_ limit: String, while phase: Phase, wasSent: Bool) -> GatewayError {
        GatewayError(
            .timedOut,
            "The provider did not answer in time: the \(limit) timeout passed while \(phase.rawValue).",
            requestWasSent: wasSent
        )
    }

    /// No connection could be made.
    package static func unreachable(_ reason: String, while phase: Phase, wasSent: Bool = false) -> GatewayError {
        GatewayError(
            .connectFailed,
            "No connection to the provider, while \(phase.rawValue): \(reason). Check its base URL and that it runs.",
            requestWasSent: wasSent
        )
    }

    /// The proxy could not be reached.
    package static func proxyUnreachable(_ reason: String, while phase: Phase) -> GatewayError {
        GatewayError(
            .connectFailed,
            "No connection to the proxy, while \(phase.rawValue): \(reason). Check the proxy's URL and that it runs.",
            requestWasSent: false
        )
    }

    /// The proxy was reached, and made no connection to the provider.
    package static func tunnelFailed(_ reason: TunnelMistake) -> GatewayError {
        GatewayError(
            .connectFailed,
            "No connection to the provider: \(reason.words).",
            requestWasSent: false
        )
    }

    /// What a proxy did instead of connecting to the provider.
    package enum TunnelMistake: Sendable, Hashable {
        /// It answered with this status.
        case refused(status: Int)
        /// It wants credentials and got none.
        case wantsCredentials
        /// The credentials are not good.
        case refusesCredentials
        /// It says why it could not connect.
        case failed(String)
        /// It ended the connection.
        case cut
        /// What it sent is not an answer of this protocol.
        case notUnderstood(String)

        var words: String {
            switch self {
            case .refused(let status): "the proxy answered \(status)"
            case .wantsCredentials: "the proxy wants a user name and a password, which its URL can have"
            case .refusesCredentials: "the proxy refuses the user name or the password"
            case .failed(let reason): "the proxy reports: \(reason)"
            case .cut: "the proxy closed the connection"
            case .notUnderstood(let name): "what the proxy answered is not valid \(name)"
            }
        }
    }

    /// No secure connection could be made.
    package static func tlsFailed(_ reason: String, wasSent: Bool) -> GatewayError {
        GatewayError(
            .tlsFailed,
            "The TLS handshake with the provider failed: \(reason).",
            requestWasSent: wasSent
        )
    }

    /// This process has no descriptor left for a connection: the provider is not to blame.
    package static var noDescriptor: GatewayError {
        GatewayError(
            .overloaded,
            "The gateway has no file descriptor left for another connection to a provider. Try again; its operator can raise the limit (ulimit -n).",
            retryAfter: .seconds(1)
        )
    }

    /// An established connection broke.
    /// - Parameter hasBegun: Whether any part of the answer had arrived.
    package static func broke(_ reason: String, while phase: Phase, hasBegun: Bool) -> GatewayError {
        GatewayError(
            hasBegun ? .truncatedResponse : .upstreamFailed,
            "The connection to the provider broke while \(phase.rawValue): \(reason).",
            requestWasSent: true
        )
    }

    /// A reused connection was closed under a request, which may or may not have been accepted.
    package static var closedBeforeAnswer: GatewayError {
        let reason = "the connection was closed before an answer came"
        return GatewayError(
            .truncatedResponse,
            "The connection to the provider broke: \(reason).",
            requestWasSent: true
        )
    }

    /// The answer ended within its head.
    package static var headCutOff: GatewayError {
        GatewayError(.truncatedResponse, "The provider's answer ended within its head.", requestWasSent: true)
    }

    /// The answer ended within its body.
    package static var bodyCutOff: GatewayError {
        GatewayError(.truncatedResponse, "The provider's answer was cut off before its end.", requestWasSent: true)
    }

    /// The provider refused the request several times.
    package static var refused: GatewayError {
        GatewayError(
            .connectFailed,
            "The provider refuses requests before it looks at them (REFUSED_STREAM or GOAWAY)."
        )
    }

    /// The source of the body gave more or less than was announced.
    package static func wrongBodyLength(wasSent: Bool) -> GatewayError {
        GatewayError(
            .invalidRequest,
            "The request body does not have its announced length.",
            requestWasSent: wasSent
        )
    }

    /// The head has too many lines, or lines that are too long.
    package static func headTooLarge(limit: Int) -> GatewayError {
        GatewayError(
            .malformedResponse,
            "The head of the provider's answer is over \(limit) bytes.",
            requestWasSent: true
        )
    }

    /// The answer breaks the rules of HTTP.
    package static func notHTTP(_ reason: String, while phase: Phase) -> GatewayError {
        GatewayError(
            .malformedResponse,
            "The provider's answer is not valid HTTP (\(reason)), while \(phase.rawValue).",
            requestWasSent: true
        )
    }
}

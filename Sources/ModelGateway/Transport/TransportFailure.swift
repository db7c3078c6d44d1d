// What a failed call to a provider is called: the same words whichever transport made it.

/// The failures that every transport knows. None of them names a host or an address.
package enum TransportFailure {
    /// The phases of a call as a person knows them.
    package enum Phase: String, Sendable {
        case resolving = "resolving the host name"
        case connecting = "connecting"
        case tlsHandshake = "the TLS handshake"
        case sending = "sending the request"
        case waiting = "waiting for the first byte of the answer"
        case readingHead = "reading the head of the answer"
        case readingBody = "reading the body of the answer"
    }

    /// The reason where the system gives none.
    package static let connectionFailed = "the connection failed"
    /// The reason where the system gives none for a connection that stood.
    package static let connectionClosed = "the connection was closed"
    /// The reason of a certificate that is not one of those which were asked for.
    package static let notPinned = "the server's key is not one of those that are pinned"
    /// The reason of a client that has no certificate.
    package static let wantsCertificate = "the server wants a client certificate"
    /// The reason of a name without an address.
    package static let unresolved = "its host name does not resolve"

    /// The caller gave the call up.
    package static func cancelled(wasSent: Bool) -> GatewayError {
        GatewayError(.cancelled, "The call was cancelled.", requestWasSent: wasSent)
    }

    /// A limit of time has passed.
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

    /// No secure connection could be made.
    package static func tlsFailed(_ reason: String, wasSent: Bool) -> GatewayError {
        GatewayError(
            .tlsFailed,
            "The TLS handshake with the provider failed: \(reason).",
            requestWasSent: wasSent
        )
    }

    /// This process has no descriptor for a connection: the provider is not to blame.
    package static var noDescriptor: GatewayError {
        GatewayError(
            .overloaded,
            "The gateway has no file descriptor left for another connection to a provider. Try again; its operator can raise the limit (ulimit -n).",
            retryAfter: .seconds(1)
        )
    }

    /// The connection stood and broke.
    /// - Parameter hasBegun: Whether anything of the answer had come.
    package static func broke(_ reason: String, while phase: Phase, hasBegun: Bool) -> GatewayError {
        GatewayError(
            hasBegun ? .truncatedResponse : .upstreamFailed,
            "The connection to the provider broke while \(phase.rawValue): \(reason).",
            requestWasSent: true
        )
    }

    /// A kept connection was closed under a request, which may have been taken or not.
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

    /// The lines of the head are too many or too long.
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

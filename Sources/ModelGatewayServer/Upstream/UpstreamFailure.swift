// What a failed call to an engine is called.

import GatewayWire
import ModelGateway
import NIOCore
import NIOPosix

extension UpstreamCall.Phase {
    /// The phase as a person knows it.
    var words: TransportFailure.Phase {
        switch self {
        case .connecting: .connecting
        case .tunnelling: .tunnel
        case .securing: .tlsHandshake
        case .agreeing: .agreeing
        case .sending: .waiting
        case .readingHead: .readingHead
        case .readingBody, .ended: .readingBody
        }
    }
}

extension GatewayError {
    /// A limit of time has passed.
    static func upstreamTimeout(_ limit: String, in phase: UpstreamCall.Phase, isUploading: Bool) -> GatewayError {
        let words = phase == .sending && isUploading ? .sending : phase.words
        return TransportFailure.timedOut(limit, while: words, wasSent: phase > .agreeing)
    }

    /// No connection could be made.
    /// - Parameter isProxy: Whether it was to be one to a proxy.
    static func upstreamUnreachable(_ error: any Error, isProxy: Bool = false) -> GatewayError {
        let causes = (error as? NIOConnectionError)?.connectionErrors.map(\.error) ?? [error]
        if causes.contains(where: isShortage) { return TransportFailure.noDescriptor }
        let reason =
            causes.isEmpty
            ? TransportFailure.unresolved
            : causes.lazy.compactMap(systemReason).first ?? TransportFailure.connectionFailed
        let phase: TransportFailure.Phase = causes.isEmpty ? .resolving : .connecting
        return isProxy
            ? TransportFailure.proxyUnreachable(reason, while: phase)
            : TransportFailure.unreachable(reason, while: phase)
    }

    /// The handshake of TLS failed.
    static func upstreamTLSFailed(_ reason: String) -> GatewayError {
        TransportFailure.tlsFailed(reason, wasSent: false)
    }

    /// The connection broke or was closed before the answer was whole.
    static func upstreamBroke(_ cause: (any Error)?, in phase: UpstreamCall.Phase, wasReused: Bool) -> GatewayError {
        let reason = cause.flatMap(systemReason) ?? TransportFailure.connectionClosed
        if phase == .sending, let reason = HandshakeFailure.refusal(cause) {
            // In TLS 1.3 the server looks at the client's certificate when the client has begun to send.
            return TransportFailure.tlsFailed(reason, wasSent: true)
        }
        switch (phase, cause) {
        case (.connecting, _), (.tunnelling, _), (.securing, _), (.agreeing, _), (.sending, _):
            return wasReused
                ? TransportFailure.closedBeforeAnswer
                : TransportFailure.broke(reason, while: phase.words, hasBegun: false)
        case (.readingHead, nil): return TransportFailure.headCutOff
        case (_, nil): return TransportFailure.bodyCutOff
        default: return TransportFailure.broke(reason, while: phase.words, hasBegun: true)
        }
    }

    /// The answer breaks the rules of HTTP.
    static func upstreamMalformed(_ error: HTTPResponseError, in phase: UpstreamCall.Phase) -> GatewayError {
        switch error {
        case .malformed(let reason): TransportFailure.notHTTP(reason, while: phase.words)
        case .headTooLarge(let limit): TransportFailure.headTooLarge(limit: limit)
        }
    }

    /// The answer is compressed, which it was not asked to be.
    static var upstreamCompressed: GatewayError {
        GatewayError(
            .malformedResponse,
            "The provider compressed its answer although it was asked not to. Further calls expect that.",
            requestWasSent: true
        )
    }

    private static func isShortage(_ error: any Error) -> Bool {
        (error as? IOError).map { SystemFailure.isShortage($0.errnoCode) } ?? false
    }

    private static func systemReason(_ error: any Error) -> String? {
        switch error {
        case is SocketAddressError: return TransportFailure.unresolved
        case ChannelError.connectTimeout: return "connection timed out"
        case let error as IOError: return SystemFailure.reason(error.errnoCode)
        default: return nil
        }
    }
}

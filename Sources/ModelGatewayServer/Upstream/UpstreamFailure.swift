// What a failed call to an engine is called. The words are those of the libcurl transport.

import GatewayWire
import ModelGateway
import NIOCore
import NIOPosix

extension UpstreamCall.Phase {
    /// The phase as a person knows it.
    fileprivate var words: String {
        switch self {
        case .connecting: "connecting"
        case .sending: "waiting for the first byte of the answer"
        case .readingHead: "reading the head of the answer"
        case .readingBody, .ended: "reading the body of the answer"
        }
    }
}

extension GatewayError {
    static func upstreamCancelled(wasSent: Bool) -> GatewayError {
        GatewayError(.cancelled, "The call was cancelled.", requestWasSent: wasSent)
    }

    /// A limit of time has passed.
    static func upstreamTimeout(_ limit: String, in phase: UpstreamCall.Phase) -> GatewayError {
        GatewayError(
            .timedOut,
            "The provider did not answer in time: the \(limit) timeout passed while \(phase.words).",
            requestWasSent: phase > .connecting
        )
    }

    /// No connection could be made.
    static func upstreamUnreachable(_ error: any Error) -> GatewayError {
        var phase = "connecting"
        let reason: String
        switch error {
        case let error as NIOConnectionError:
            let causes = error.connectionErrors.map(\.error)
            if causes.isEmpty {
                phase = "resolving the host name"
                reason = "its host name does not resolve"
            } else {
                reason = causes.lazy.compactMap(systemReason).first ?? "the connection failed"
            }
        default:
            reason = systemReason(error) ?? "the connection failed"
        }
        return GatewayError(
            .connectFailed,
            "No connection to the provider, while \(phase): \(reason). Check its base URL and that it runs."
        )
    }

    /// The connection broke or was closed before the answer was whole.
    static func upstreamBroke(_ cause: (any Error)?, in phase: UpstreamCall.Phase, wasReused: Bool) -> GatewayError {
        let reason = cause.flatMap(systemReason) ?? "the connection was closed"
        switch (phase, cause) {
        case (.connecting, _), (.sending, _):
            if wasReused {
                return GatewayError(
                    .truncatedResponse,
                    "The connection to the provider broke: the connection was closed before an answer came.",
                    requestWasSent: true
                )
            }
            return broke(.upstreamFailed, reason, in: phase)
        case (.readingHead, nil):
            return GatewayError(
                .truncatedResponse,
                "The provider's answer ended within its head.",
                requestWasSent: true
            )
        case (_, nil):
            return GatewayError(
                .truncatedResponse,
                "The provider's answer was cut off before its end.",
                requestWasSent: true
            )
        default:
            return broke(.truncatedResponse, reason, in: phase)
        }
    }

    private static func broke(_ code: Code, _ reason: String, in phase: UpstreamCall.Phase) -> GatewayError {
        GatewayError(
            code,
            "The connection to the provider broke while \(phase.words): \(reason).",
            requestWasSent: true
        )
    }

    /// The answer breaks the rules of HTTP.
    static func upstreamMalformed(_ error: HTTPResponseError, in phase: UpstreamCall.Phase) -> GatewayError {
        switch error {
        case .malformed(let reason):
            GatewayError(
                .malformedResponse,
                "The provider's answer is not valid HTTP (\(reason)), while \(phase.words).",
                requestWasSent: true
            )
        case .headTooLarge(let limit):
            GatewayError(
                .malformedResponse,
                "The head of the provider's answer is over \(limit) bytes.",
                requestWasSent: true
            )
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

    private static func systemReason(_ error: any Error) -> String? {
        switch error {
        case is SocketAddressError: return "its host name does not resolve"
        case ChannelError.connectTimeout: return "connection timed out"
        case let error as IOError: return SystemFailure.reason(error.errnoCode)
        default: return nil
        }
    }
}

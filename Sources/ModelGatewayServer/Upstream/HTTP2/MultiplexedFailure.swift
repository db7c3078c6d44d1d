// What a failed call on an HTTP/2 connection is called.

import GatewayWire
import ModelGateway
import NIOHTTP2

extension GatewayError {
    /// The engine ended the call or the connection with a code.
    static func upstreamReset(_ code: HTTP2ErrorCode, in phase: UpstreamCall.Phase) -> GatewayError {
        if code == .http11Required {
            let reason = "it wants HTTP/1.1 for this request; set http2 = false for this provider"
            return TransportFailure.broke(reason, while: phase.words, hasBegun: phase > .sending)
        }
        let reason = "the provider ended it with \(name(of: code))"
        return TransportFailure.broke(reason, while: phase.words, hasBegun: phase > .sending)
    }

    /// The engine answers no ping.
    static func upstreamSilent(in phase: UpstreamCall.Phase) -> GatewayError {
        let reason = "the provider gives no sign of life (PING)"
        return TransportFailure.broke(reason, while: phase.words, hasBegun: phase > .sending)
    }

    /// The connection stands, and the engine does not speak HTTP/2 on it.
    /// - Parameter isLate: Whether the time for connecting is over.
    static func upstreamWithoutHTTP2(_ cause: (any Error)?, isLate: Bool) -> GatewayError? {
        if isLate, cause == nil { return nil }
        if let reason = HandshakeFailure.refusal(cause) { return TransportFailure.tlsFailed(reason, wasSent: false) }
        let reason =
            cause is any NIOHTTP2Error
            ? "it does not answer in HTTP/2; set http2 = false for this provider" : TransportFailure.connectionClosed
        return TransportFailure.unreachable(reason, while: .agreeing)
    }

    /// What the engine sent breaks the rules of HTTP/2.
    static func upstreamBrokeRules(_ error: any Error, in phase: UpstreamCall.Phase) -> GatewayError {
        let reason =
            switch error {
            case is NIOHTTP2Errors.ExcessivelyLargeHeaderBlock, is NIOHTTP2Errors.ExcessiveContinuationFrames:
                "a head over \(UpstreamConnection.maxHeadSize) bytes"
            case is NIOHTTP2Errors.ExcessiveControlFrames: "a flood of PING and SETTINGS frames"
            case is NIOHTTP2Errors.ExcessiveRSTFrames: "a flood of RST_STREAM frames"
            case is NIOHTTP2Errors.ExcessiveEmptyDataFrames: "a flood of empty DATA frames"
            case is NIOHTTP2Errors.FlowControlViolation: "more bytes than it was granted"
            case is NIOHTTP2Errors.UnableToParseFrame: "a frame that cannot be read"
            default: "\(type(of: error))"
            }
        return TransportFailure.notHTTP("HTTP/2: \(reason)", while: phase.words)
    }

    /// RFC 9113 §7.
    private static func name(of code: HTTP2ErrorCode) -> String {
        let names = [
            "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
            "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
            "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
        ]
        return names.indices.contains(code.networkCode) ? names[code.networkCode] : "code \(code.networkCode)"
    }
}

// What a failed transfer of libcurl is called, and whether its request may have arrived.

internal import CCurl
import GatewayWire

/// Turns libcurl's results into ``GatewayError``s. The messages are written here because libcurl's name hosts and
/// addresses.
enum CurlFailure {
    typealias Phase = TransportFailure.Phase

    /// How a transfer that libcurl has finished ended.
    static func end(of transfer: CurlTransfer, result: CURLcode) -> TransferEnd {
        if result == CURLE_OK {
            return transfer.hasFinalHead ? .complete : .failed(TransportFailure.headCutOff)
        }
        if let abort = transfer.abort { return .failed(aborted(abort, transfer)) }
        return .failed(failure(result, transfer))
    }

    /// The time limit that a transfer has exceeded.
    static func timedOut(_ transfer: CurlTransfer, at now: MonotonicInstant) -> GatewayError {
        let limit: String
        if transfer.totalDeadline <= now {
            limit = "total"
        } else {
            switch transfer.phase {
            case .connecting: limit = "connect"
            case .sending: limit = "first-byte"
            case .readingHead, .readingBody: limit = "idle"
            }
        }
        return TransportFailure.timedOut(limit, while: phase(of: transfer), wasSent: wasSent(transfer))
    }

    /// The source of the request body failed.
    static func requestBody(_ cause: GatewayError, of transfer: CurlTransfer) -> GatewayError {
        var error = cause
        error.requestWasSent = wasSent(transfer)
        return error
    }

    private static func aborted(_ abort: CurlTransfer.Abort, _ transfer: CurlTransfer) -> GatewayError {
        switch abort {
        case .headersTooLarge:
            return TransportFailure.headTooLarge(limit: transfer.loop.options.maxHeaderBytes)
        case .requestBodyFailed(let cause):
            return requestBody(cause, of: transfer)
        case .requestBodyLength:
            return TransportFailure.wrongBodyLength(wasSent: wasSent(transfer))
        case .mayHaveBeenTaken:
            return TransportFailure.closedBeforeAnswer
        case .proxyWantsCredentials:
            return TransportFailure.tunnelFailed(CurlProxy.credentials(of: CurlProxy.of(transfer)))
        }
    }

    private static func failure(_ result: CURLcode, _ transfer: CurlTransfer) -> GatewayError {
        let phase = phase(of: transfer)
        if transfer.lacksDescriptor, transfer.phase == .connecting { return TransportFailure.noDescriptor }
        switch result {
        case CURLE_URL_MALFORMAT where transfer.phase == .connecting,
            CURLE_UNSUPPORTED_PROTOCOL where transfer.phase == .connecting:
            return error(.invalidRequest, "The provider's URL is not a valid http or https URL.", transfer)
        case CURLE_COULDNT_RESOLVE_HOST:
            return unreachable(TransportFailure.unresolved, .resolving, transfer)
        case CURLE_COULDNT_RESOLVE_PROXY:
            return TransportFailure.proxyUnreachable(TransportFailure.unresolved, while: .resolving)
        case CURLE_OPERATION_TIMEDOUT:
            return timedOut(transfer, at: MonotonicInstant(nanoseconds: 0))
        case CURLE_SSL_CACERT_BADFILE:
            let file = transfer.loop.options.tls.caFile.map { " \($0)" } ?? ""
            let message =
                "The file of certificate authorities\(file) cannot be read, or has no PEM certificate in it."
            return error(.configuration, message, transfer)
        case CURLE_SSL_CERTPROBLEM:
            return error(.configuration, unusableCertificate(transfer.loop.options.tls), transfer)
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            return TransportFailure.tlsFailed(TransportFailure.notPinned, wasSent: wasSent(transfer))
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR:
            return tlsFailed(transfer)
        default:
            break
        }
        if transfer.phase == .connecting { return notConnected(result, phase, transfer) }
        return brokenOff(result, phase, transfer)
    }

    private static func notConnected(_ result: CURLcode, _ phase: Phase, _ transfer: CurlTransfer) -> GatewayError {
        if let mistake = CurlProxy.mistake(result, transfer) { return TransportFailure.tunnelFailed(mistake) }
        if phase == .tlsHandshake, result != CURLE_COULDNT_CONNECT { return tlsFailed(transfer) }
        let reason = systemReason(transfer)
        if phase == .connecting, CurlProxy.of(transfer) != nil {
            // What cannot be connected to has a reason of the system's.
            guard let reason else { return TransportFailure.tunnelFailed(.cut) }
            return TransportFailure.proxyUnreachable(reason, while: phase)
        }
        return unreachable(reason ?? TransportFailure.connectionFailed, phase, transfer)
    }

    /// The connection was established, and then something went wrong on it.
    private static func brokenOff(_ result: CURLcode, _ phase: Phase, _ transfer: CurlTransfer) -> GatewayError {
        let text = transfer.handle?.failure ?? ""
        switch result {
        case CURLE_PARTIAL_FILE:
            return TransportFailure.bodyCutOff
        case CURLE_COULDNT_CONNECT:
            return unreachable(systemReason(transfer) ?? TransportFailure.connectionFailed, .connecting, transfer)
        case CURLE_RECV_ERROR where text.contains("chunked-encoding"):
            return error(.malformedResponse, "The chunks of the provider's answer are malformed.", transfer)
        case CURLE_RECV_ERROR where transfer.phase == .sending && text.contains("certificate required"):
            // In TLS 1.3 the server checks the client's certificate only once the client has begun to send.
            return TransportFailure.tlsFailed(TransportFailure.wantsCertificate, wasSent: true)
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_FAIL_REWIND:
            let reason = systemReason(transfer) ?? TransportFailure.connectionClosed
            return TransportFailure.broke(reason, while: phase, hasBegun: transfer.phase > .sending)
        case CURLE_BAD_CONTENT_ENCODING:
            return error(.malformedResponse, "The provider's answer cannot be decompressed.", transfer)
        case CURLE_HTTP2, CURLE_HTTP2_STREAM:
            let code: GatewayError.Code = transfer.phase > .sending ? .truncatedResponse : .upstreamFailed
            return error(code, "The HTTP/2 stream broke while \(phase.rawValue).", transfer)
        default:
            return TransportFailure.notHTTP(String(cString: curl_easy_strerror(result)), while: phase)
        }
    }

    private static func unreachable(_ reason: String, _ phase: Phase, _ transfer: CurlTransfer) -> GatewayError {
        TransportFailure.unreachable(reason, while: phase, wasSent: wasSent(transfer))
    }

    private static func tlsFailed(_ transfer: CurlTransfer) -> GatewayError {
        let text = transfer.handle?.failure ?? ""
        // OpenSSL's verdict names no host; other texts may.
        let prefix = "SSL certificate problem: "
        let reason: String
        if text.hasPrefix(prefix) {
            reason = "certificate problem: \(text.dropFirst(prefix.count))"
        } else if text.contains("subject name") {
            reason = "the certificate is for another host name"
        } else {
            reason = "the peers did not agree"
        }
        return TransportFailure.tlsFailed(reason, wasSent: wasSent(transfer))
    }

    private static func unusableCertificate(_ tls: TLSOptions) -> String {
        let password = tls.keyPassword == nil ? "" : " with its password"
        return """
            The client certificate \(tls.certificateFile ?? "") or the private key \(tls.keyFile ?? "")\(password) cannot be \
            used: a file cannot be read, is not in PEM form or is encrypted otherwise, or they do not belong together.
            """
    }

    private static func systemReason(_ transfer: CurlTransfer) -> String? {
        guard let handle = transfer.handle else { return nil }
        var number = 0
        ccurl_get_long(handle.easy, CURLINFO_OS_ERRNO, &number)
        return number == 0 ? nil : SystemFailure.reason(Int32(clamping: number))
    }

    private static func phase(of transfer: CurlTransfer) -> Phase {
        switch transfer.phase {
        case .readingBody: return .readingBody
        case .readingHead: return .readingHead
        case .sending:
            guard let upload = transfer.upload else { return .waiting }
            return upload.isComplete && upload.available == 0 ? .waiting : .sending
        case .connecting:
            guard let handle = transfer.handle else { return .connecting }
            if elapsed(handle, CURLINFO_NAMELOOKUP_TIME_T) == 0 { return .resolving }
            if CurlProxy.isAsked(transfer) { return .tunnel }
            return transfer.isTCPConnected && isHTTPS(transfer) ? .tlsHandshake : .connecting
        }
    }

    private static func isHTTPS(_ transfer: CurlTransfer) -> Bool {
        transfer.request.url.startsIgnoringCase(with: "https:")
    }

    private static func elapsed(_ handle: CurlHandle, _ info: CURLINFO) -> curl_off_t {
        var value: curl_off_t = 0
        ccurl_get_offset(handle.easy, info, &value)
        return value
    }

    /// Once the connection was established, bytes of the request may have arrived.
    private static func wasSent(_ transfer: CurlTransfer) -> Bool { transfer.phase > .connecting }

    private static func error(
        _ code: GatewayError.Code,
        _ message: String,
        _ transfer: CurlTransfer
    ) -> GatewayError {
        GatewayError(code, message, requestWasSent: wasSent(transfer))
    }
}

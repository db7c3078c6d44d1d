// What went wrong between this side and a proxy of libcurl's.

internal import CCurl
import GatewayWire

/// The proxy of a transfer, as far as failures need it.
enum CurlProxy {
    /// The proxy that a transfer goes through.
    static func of(_ transfer: CurlTransfer) -> ProxyServer? {
        guard let url = try? AbsoluteURL(transfer.request.url),
            case .through(let proxy) = ProxyRules(transfer.loop.options.proxy).way(to: url)
        else { return nil }
        return proxy
    }

    /// Whether a transfer waits for a proxy's consent.
    static func isAsked(_ transfer: CurlTransfer) -> Bool {
        guard transfer.isTCPConnected, let proxy = of(transfer), let handle = transfer.handle else { return false }
        let isSecure = transfer.request.url.startsIgnoringCase(with: "https:")
        guard proxy.kind == .http || proxy.kind == .https else { return !isSecure }
        var status = 0
        ccurl_get_long(handle.easy, CURLINFO_HTTP_CONNECTCODE, &status)
        return isSecure && status == 0
    }

    /// What a proxy did instead of connecting to the provider.
    static func mistake(_ result: CURLcode, _ transfer: CurlTransfer) -> TransportFailure.TunnelMistake? {
        guard let handle = transfer.handle, let proxy = of(transfer) else { return nil }
        var status = 0
        ccurl_get_long(handle.easy, CURLINFO_HTTP_CONNECTCODE, &status)
        if status == 407 { return credentials(of: proxy) }
        if status >= 300 { return .refused(status: status) }
        if result == CURLE_PROXY { return socks(handle, proxy) }
        return isAsked(transfer) ? .cut : nil
    }

    /// The proxy is not content with the credentials of its URL.
    static func credentials(of proxy: ProxyServer?) -> TransportFailure.TunnelMistake {
        proxy?.user == nil ? .wantsCredentials : .refusesCredentials
    }

    private static func socks(_ handle: CurlHandle, _ proxy: ProxyServer) -> TransportFailure.TunnelMistake {
        var number = 0
        ccurl_get_long(handle.easy, CURLINFO_PROXY_ERROR, &number)
        return switch CURLproxycode(rawValue: UInt32(clamping: number)) {
        case CURLPX_NO_AUTH, CURLPX_USER_REJECTED, CURLPX_UNKNOWN_FAIL: credentials(of: proxy)
        case CURLPX_REPLY_NOT_ALLOWED: .failed("not allowed by its rules")
        case CURLPX_REPLY_NETWORK_UNREACHABLE: .failed("network unreachable")
        case CURLPX_REPLY_HOST_UNREACHABLE: .failed("host unreachable")
        case CURLPX_REPLY_CONNECTION_REFUSED: .failed("connection refused")
        case CURLPX_BAD_VERSION: .notUnderstood("SOCKS 5")
        case CURLPX_CLOSED, CURLPX_RECV_CONNECT, CURLPX_RECV_AUTH, CURLPX_RECV_REQACK: .cut
        default: .failed("general failure")
        }
    }
}

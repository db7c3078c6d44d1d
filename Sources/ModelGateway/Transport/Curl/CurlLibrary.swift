// The process-wide side of libcurl: its one-time initialisation, what it can do, and SIGPIPE.

internal import CCurl
import GatewaySystem

/// What the process knows about the libcurl it runs with.
enum CurlLibrary {
    /// Initialises libcurl once per process and makes writes to closed sockets return EPIPE instead of killing it.
    static let isReady: Bool = {
        // With `CURLOPT_NOSIGNAL` libcurl leaves SIGPIPE alone, and OpenSSL writes without `MSG_NOSIGNAL`.
        ThisProcess.ignoreUnhandledBrokenPipes()
        return curl_global_init(ccurl_global_all) == CURLE_OK
    }()

    /// Before 8.4.0 an HTTP/2 stream that is reset, or that ends while it is paused, can be reported as complete with a
    /// part of its body missing (curl 48cd032623, 6b9a591bf7).
    static let hasReliableHTTP2: Bool = {
        guard let info = ccurl_version() else { return false }
        return info.pointee.version_num >= ccurl_version_8_4_0 && (info.pointee.features & CURL_VERSION_HTTP2) != 0
    }()
}

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
}

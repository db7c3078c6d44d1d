// An easy handle of libcurl, and how a request is written into it.

internal import CCurl
import GatewayWire

/// One easy handle and the memory that it points into. It belongs to one event loop and is used only on its thread.
final class CurlHandle {
    let easy: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    /// Where connections go if not where the URL says; nearly always nil.
    private var connectTo: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private var lastShape: Shape?
    private var inlineBodySize = 0
    private var line: [UInt8] = []

    /// What determines the options that stay the same from one request to the next.
    private struct Shape: Equatable {
        enum Body {
            case none
            case inline
            case streamed
        }

        let method: String
        let body: Body
        var hasAcceptEncoding = false
        var hasUserAgent = false

        init(_ request: HTTPTransportRequest, upload: CurlUpload?) throws(GatewayError) {
            method = request.method
            guard HTTPToken.matches(method) else {
                throw GatewayError(.invalidRequest, "The HTTP method is not a token.")
            }
            if upload != nil {
                body = .streamed
            } else if case .bytes = request.body {
                body = .inline
            } else {
                // Even without a body, these state a length of 0 (RFC 9110 §8.6).
                body = method == "POST" || method == "PUT" || method == "PATCH" ? .inline : .none
            }
        }
    }

    init?() {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
        curl_slist_free_all(connectTo)
        errorText.deallocate()
    }

    /// What libcurl wrote about the last failure. It names hosts, so it must not appear in messages.
    var failure: String { String(cString: errorText) }

    /// Frees what the last request no longer needs.
    func recycle() {
        errorText[0] = 0
        // A few hundred idle handles must not each hold on to a body.
        if inlineBodySize > 4096 { _ = setInlineBody([]) }
    }

    /// Writes a request into the handle. Connections, TLS sessions and DNS answers live in the multi handle, so nothing
    /// but options is kept here from one request to the next.
    func prepare(_ transfer: CurlTransfer, options: CurlTransport.Options) throws(GatewayError) {
        let request = transfer.request
        let shape = try setHeaders(of: request, upload: transfer.upload)
        // User info in the URL becomes part of the handle's state, and must not reach the next request.
        let hasUserInfo = request.url.utf8.contains(UInt8(ascii: "@"))
        let socket = CurlSocket(for: request.url)
        if shape != lastShape || hasUserInfo || socket != nil {
            curl_easy_reset(easy)
            setConnection(options)
            setCallbacks(transfer.loop)
            setMethod(shape)
            // libcurl decodes a body only if it wrote this header itself, so a caller that sends its own gets the body
            // as is.
            if !shape.hasAcceptEncoding { _ = ccurl_set_string(easy, CURLOPT_ACCEPT_ENCODING, "identity") }
            if !shape.hasUserAgent, let agent = options.userAgent {
                _ = ccurl_set_string(easy, CURLOPT_USERAGENT, agent)
            }
        }
        lastShape = hasUserInfo || socket != nil ? nil : shape
        setContext(transfer)
        let named = options.tls.serverName.flatMap { CurlServerName($0, for: request.url) }
        if let named { try setServerName(named) }
        if let socket { set(socket) }
        guard setBody(request, shape: shape, upload: transfer.upload) == CURLE_OK,
            ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK,
            ccurl_set_string(easy, CURLOPT_URL, named?.url ?? socket?.url ?? request.url) == CURLE_OK
        else { throw Self.outOfMemory }
        // The loop's own timer names the phase, so it must fire first; libcurl divides its limit among several
        // addresses.
        let limit = request.timeouts.connect
        let connect = limit > .zero ? limit.nanoseconds / 1_000_000 + 250 : 86_400_000
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(clamping: connect))
    }

    private func set(_ socket: CurlSocket) {
        _ = ccurl_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, socket.path)
        _ = ccurl_set_string(easy, CURLOPT_PROXY, "")
    }

    private func setServerName(_ named: CurlServerName) throws(GatewayError) {
        try Self.write(HTTPHeader("Host", named.authority), into: &line)
        try append(&line)
        guard let list = curl_slist_append(nil, named.connectTo),
            ccurl_set_list(easy, CURLOPT_CONNECT_TO, list) == CURLE_OK
        else { throw Self.outOfMemory }
        curl_slist_free_all(connectTo)
        connectTo = list
    }

    // MARK: Options that a request of the same shape finds already set

    private func setConnection(_ options: CurlTransport.Options) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_BUFFERSIZE, 32 * 1024)
        switch options.http2 {
        case .off: set(CURLOPT_HTTP_VERSION, ccurl_http_1_1)
        case .negotiated: set(CURLOPT_HTTP_VERSION, ccurl_http_2_over_tls)
        case .priorKnowledge: set(CURLOPT_HTTP_VERSION, ccurl_http_2_prior_knowledge)
        }
        if options.http2 != .off { set(CURLOPT_PIPEWAIT, 1) }
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_HEADEROPT, ccurl_headers_separate)
        set(CURLOPT_MAXAGE_CONN, Int(clamping: options.idleConnectionLifetime.components.seconds))
        ccurl_set_quick_exit(easy)
        _ = ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "https,http")
        setTLS(options.tls)
        if let proxy = options.proxy.url { _ = ccurl_set_string(easy, CURLOPT_PROXY, proxy) }
    }

    private func setTLS(_ tls: TLSOptions) {
        set(CURLOPT_SSLVERSION, tls.minimumVersion == .tls13 ? ccurl_tls_1_3 : ccurl_tls_1_2)
        if let file = tls.caFile { _ = ccurl_set_string(easy, CURLOPT_CAINFO, file) }
        if let file = tls.certificateFile { _ = ccurl_set_string(easy, CURLOPT_SSLCERT, file) }
        if let file = tls.keyFile {
            _ = ccurl_set_string(easy, CURLOPT_SSLKEY, file)
            // Without a password, OpenSSL would ask for one on the terminal.
            _ = ccurl_set_string(easy, CURLOPT_KEYPASSWD, tls.keyPassword?.reveal() ?? "")
        }
        if !tls.pins.isEmpty {
            let pins = tls.pins.map { "sha256//\($0)" }.joined(separator: ";")
            _ = ccurl_set_string(easy, CURLOPT_PINNEDPUBLICKEY, pins)
        }
        if !tls.verifiesCertificate {
            set(CURLOPT_SSL_VERIFYPEER, 0)
            set(CURLOPT_SSL_VERIFYHOST, 0)
        }
    }

    private func setCallbacks(_ loop: CurlEventLoop) {
        _ = ccurl_set_write_callback(easy, CURLOPT_HEADERFUNCTION, curlReceivedHeaderLine)
        _ = ccurl_set_write_callback(easy, CURLOPT_WRITEFUNCTION, curlReceivedBody)
        _ = ccurl_set_prerequest_callback(easy, curlIsConnected)
        _ = ccurl_set_open_socket_callback(easy, curlOpensSocket)
        // The connection, and with it this pointer, outlives the transfer.
        _ = ccurl_set_close_socket_callback(easy, curlClosesSocket)
        _ = ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(loop).toOpaque())
        _ = ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        _ = ccurl_set_read_callback(easy, curlWantsBody)
        _ = ccurl_set_seek_callback(easy, curlRewindsBody)
    }

    private func setMethod(_ shape: Shape) {
        switch shape.body {
        case .streamed: set(CURLOPT_POST, 1)
        case .inline: break
        case .none where shape.method == "HEAD": set(CURLOPT_NOBODY, 1)
        case .none: set(CURLOPT_HTTPGET, 1)
        }
        let implied = shape.body != .none ? "POST" : shape.method == "HEAD" ? "HEAD" : "GET"
        if shape.method != implied { _ = ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, shape.method) }
    }

    // MARK: Options set for each request

    private func setContext(_ transfer: CurlTransfer) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        _ = ccurl_set_pointer(easy, CURLOPT_PRIVATE, context)
        _ = ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context)
        _ = ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        _ = ccurl_set_pointer(easy, CURLOPT_PREREQDATA, context)
        _ = ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
        _ = ccurl_set_pointer(easy, CURLOPT_READDATA, context)
        _ = ccurl_set_pointer(easy, CURLOPT_SEEKDATA, context)
    }

    private func setBody(_ request: HTTPTransportRequest, shape: Shape, upload: CurlUpload?) -> CURLcode {
        inlineBodySize = 0
        switch shape.body {
        case .none: return CURLE_OK
        case .streamed: return ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(upload?.length ?? -1))
        case .inline:
            guard case .bytes(let bytes) = request.body else { return setInlineBody([]) }
            return setInlineBody(bytes)
        }
    }

    private func setInlineBody(_ bytes: [UInt8]) -> CURLcode {
        inlineBodySize = bytes.count
        _ = ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
        return bytes.withUnsafeBytes { bytes in
            // An empty array may have no address, and a null pointer would make libcurl read the body from the
            // callback.
            guard let start = bytes.baseAddress else { return ccurl_set_string(easy, CURLOPT_COPYPOSTFIELDS, "") }
            return ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: start))
        }
    }

    /// Builds the list of header lines and works out the request's shape.
    private func setHeaders(of request: HTTPTransportRequest, upload: CurlUpload?) throws(GatewayError) -> Shape {
        curl_slist_free_all(headers)
        headers = nil
        var shape = try Shape(request, upload: upload)
        var hasType = false
        for header in request.headers {
            if Self.isOwn(header.name) { continue }
            if header.name.equalsIgnoringCase("accept-encoding" as StaticString) { shape.hasAcceptEncoding = true }
            if header.name.equalsIgnoringCase("content-type" as StaticString) { hasType = true }
            if header.name.equalsIgnoringCase("user-agent" as StaticString) { shape.hasUserAgent = true }
            try Self.write(header, into: &line)
            try append(&line)
        }
        if shape.body != .none {
            try append("Expect:")
            if !hasType { try append("Content-Type:") }
            if let upload, upload.length == nil { try append("Transfer-Encoding: chunked") }
        }
        return shape
    }

    /// Writes `Name: value` and a NUL. libcurl spells a header without a value `Name;`.
    private static func write(_ header: HTTPHeader, into line: inout [UInt8]) throws(GatewayError) {
        line.removeAll(keepingCapacity: true)
        guard HTTPToken.matches(header.name) else {
            throw GatewayError(.invalidRequest, "A header name is empty or has a character that is not allowed in one.")
        }
        line.append(contentsOf: header.name.utf8)
        var isBlank = true
        let colon = line.count
        line.append(UInt8(ascii: ":"))
        line.append(UInt8(ascii: " "))
        for byte in header.value.utf8 {
            guard byte >= 0x20 || byte == 0x09, byte != 0x7F else {
                throw GatewayError(.invalidRequest, "The value of header \(header.name) has a control character in it.")
            }
            if byte != 0x20 && byte != 0x09 { isBlank = false }
            line.append(byte)
        }
        if isBlank {
            line.removeSubrange(colon...)
            line.append(UInt8(ascii: ";"))
        }
        line.append(0)
    }

    private func append(_ line: inout [UInt8]) throws(GatewayError) {
        let list = line.withUnsafeBytes { bytes in
            curl_slist_append(headers, bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
        }
        guard let list else { throw Self.outOfMemory }
        headers = list
    }

    private func append(_ line: StaticString) throws(GatewayError) {
        let list = line.utf8Start.withMemoryRebound(to: CChar.self, capacity: line.utf8CodeUnitCount + 1) { text in
            curl_slist_append(headers, text)
        }
        guard let list else { throw Self.outOfMemory }
        headers = list
    }

    private func set(_ option: CURLoption, _ value: Int) {
        _ = ccurl_set_long(easy, option, value)
    }

    /// Whether the transport writes this header itself.
    private static func isOwn(_ name: String) -> Bool {
        name.equalsIgnoringCase("host" as StaticString) || name.equalsIgnoringCase("content-length" as StaticString)
            || name.equalsIgnoringCase("transfer-encoding" as StaticString)
            || name.equalsIgnoringCase("expect" as StaticString)
    }

    private static var outOfMemory: GatewayError {
        GatewayError(.internalError, "The HTTP transport is out of memory.")
    }
}

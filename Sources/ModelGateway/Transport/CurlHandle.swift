// An easy handle of libcurl, and how a request is written into it.

internal import CCurl

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// One easy handle with the memory that it points into. Belongs to one event loop and is used on its thread only.
final class CurlHandle {
    let easy: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>

    init?() {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    /// What libcurl wrote about the last failure. Names hosts: not for messages.
    var failure: String { String(cString: errorText) }

    /// Forgets the last request; connections, TLS sessions and DNS answers live in the multi handle.
    func reset() {
        curl_easy_reset(easy)
        curl_slist_free_all(headers)
        headers = nil
        errorText[0] = 0
    }

    /// Writes a request into the handle.
    func prepare(_ transfer: CurlTransfer, options: CurlTransport.Options) throws(GatewayError) {
        let request = transfer.request
        setConnection(options)
        setCallbacks(transfer)
        let hasBody = try setMethod(request, upload: transfer.upload)
        try setHeaders(request, hasBody: hasBody, upload: transfer.upload, options: options)
        guard ccurl_set_string(easy, CURLOPT_URL, request.url) == CURLE_OK else { throw Self.outOfMemory }
        // The loop's own timer names the phase, so it goes first; libcurl divides its limit among several addresses.
        let connect = request.timeouts.connect.limitInNanoseconds.map { $0 / 1_000_000 + 250 } ?? 86_400_000
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(clamping: connect))
    }

    private func setConnection(_ options: CurlTransport.Options) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_BUFFERSIZE, 64 * 1024)
        set(CURLOPT_HTTP_VERSION, options.http2 ? ccurl_http_2_over_tls : ccurl_http_1_1)
        if options.http2 { set(CURLOPT_PIPEWAIT, 1) }
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_MAXAGE_CONN, Int(clamping: options.idleConnectionLifetime.components.seconds))
        ccurl_set_quick_exit(easy)
        _ = ccurl_set_string(easy, CURLOPT_PROTOCOLS_STR, "https,http")
        if let file = options.caFile { _ = ccurl_set_string(easy, CURLOPT_CAINFO, file) }
        if let proxy = options.proxy.url { _ = ccurl_set_string(easy, CURLOPT_PROXY, proxy) }
    }

    private func setCallbacks(_ transfer: CurlTransfer) {
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        let loop = Unmanaged.passUnretained(transfer.loop).toOpaque()
        _ = ccurl_set_pointer(easy, CURLOPT_PRIVATE, context)
        _ = ccurl_set_write_callback(easy, CURLOPT_HEADERFUNCTION, curlReceivedHeaderLine)
        _ = ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context)
        _ = ccurl_set_write_callback(easy, CURLOPT_WRITEFUNCTION, curlReceivedBody)
        _ = ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        _ = ccurl_set_prerequest_callback(easy, curlIsConnected)
        _ = ccurl_set_pointer(easy, CURLOPT_PREREQDATA, context)
        _ = ccurl_set_open_socket_callback(easy, curlOpensSocket)
        _ = ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context)
        // The connection, and with it this pointer, outlives the transfer.
        _ = ccurl_set_close_socket_callback(easy, curlClosesSocket)
        _ = ccurl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, loop)
        _ = ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        guard transfer.upload != nil else { return }
        _ = ccurl_set_read_callback(easy, curlWantsBody)
        _ = ccurl_set_pointer(easy, CURLOPT_READDATA, context)
        _ = ccurl_set_seek_callback(easy, curlRewindsBody)
        _ = ccurl_set_pointer(easy, CURLOPT_SEEKDATA, context)
    }

    private func setMethod(_ request: HTTPTransportRequest, upload: CurlUpload?) throws(GatewayError) -> Bool {
        guard !request.method.isEmpty, request.method.utf8.allSatisfy(Self.isTokenByte) else {
            throw GatewayError(.invalidRequest, "The HTTP method is not a token.")
        }
        var hasBody = true
        if let upload {
            set(CURLOPT_POST, 1)
            _ = ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(upload.length ?? -1))
        } else if case .bytes(let bytes) = request.body {
            try setInlineBody(bytes)
        } else if request.method == "HEAD" {
            set(CURLOPT_NOBODY, 1)
            return false
        } else if request.method == "POST" || request.method == "PUT" || request.method == "PATCH" {
            try setInlineBody([])
        } else {
            hasBody = false
        }
        if request.method != (hasBody ? "POST" : "GET") {
            _ = ccurl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
        }
        return hasBody
    }

    private func setInlineBody(_ bytes: [UInt8]) throws(GatewayError) {
        _ = ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
        let result = bytes.withUnsafeBytes { bytes in
            // An empty array may have no address, and a null pointer would mean a body from the read callback.
            guard let start = bytes.baseAddress else { return ccurl_set_string(easy, CURLOPT_COPYPOSTFIELDS, "") }
            return ccurl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: start))
        }
        guard result == CURLE_OK else { throw Self.outOfMemory }
    }

    private func setHeaders(
        _ request: HTTPTransportRequest,
        hasBody: Bool,
        upload: CurlUpload?,
        options: CurlTransport.Options
    ) throws(GatewayError) {
        var acceptsEncoding = false
        var hasType = false
        var hasAgent = false
        var line: [UInt8] = []
        for header in request.headers {
            if Self.isOwn(header.name) { continue }
            if Self.matches(header.name, "accept-encoding") { acceptsEncoding = true }
            if Self.matches(header.name, "content-type") { hasType = true }
            if Self.matches(header.name, "user-agent") { hasAgent = true }
            try Self.write(header, into: &line)
            try append(&line)
        }
        // libcurl decodes a body only if it wrote this header itself, so a caller with its own wish gets what came.
        if !acceptsEncoding { _ = ccurl_set_string(easy, CURLOPT_ACCEPT_ENCODING, "identity") }
        if hasBody {
            try append("Expect:")
            if !hasType { try append("Content-Type:") }
            if let upload, upload.length == nil { try append("Transfer-Encoding: chunked") }
        }
        if !hasAgent, let agent = options.userAgent { _ = ccurl_set_string(easy, CURLOPT_USERAGENT, agent) }
        _ = ccurl_set_list(easy, CURLOPT_HTTPHEADER, headers)
        set(CURLOPT_HEADEROPT, ccurl_headers_separate)
    }

    /// Writes `Name: value` and a NUL. libcurl spells a header without a value `Name;`.
    private static func write(_ header: HTTPHeader, into line: inout [UInt8]) throws(GatewayError) {
        line.removeAll(keepingCapacity: true)
        guard !header.name.isEmpty, header.name.utf8.allSatisfy(isTokenByte) else {
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

    /// Headers that are the transport's own.
    private static func isOwn(_ name: String) -> Bool {
        matches(name, "host") || matches(name, "content-length") || matches(name, "transfer-encoding")
            || matches(name, "expect")
    }

    private static func matches(_ name: String, _ lowercased: StaticString) -> Bool {
        let count = lowercased.utf8CodeUnitCount
        guard name.utf8.count == count else { return false }
        var position = lowercased.utf8Start
        for byte in name.utf8 {
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if lower != position.pointee { return false }
            position += 1
        }
        return true
    }

    /// RFC 9110 §5.6.2: what a method or a field name may consist of.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    private static var outOfMemory: GatewayError {
        GatewayError(.internalError, "The HTTP transport is out of memory.")
    }
}

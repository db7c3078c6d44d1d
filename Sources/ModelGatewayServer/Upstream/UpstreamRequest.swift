// A request as the bytes of HTTP/1.1: head and body in one buffer, so that they leave in one write.

import GatewayWire
import ModelGateway
import NIOCore

/// Writes requests to engines.
enum UpstreamRequest {
    /// Refuses a request whose head could not be told from another one.
    /// - Throws: ``GatewayError/Code/invalidRequest``.
    static func check(_ request: HTTPTransportRequest) throws(GatewayError) {
        guard HTTPToken.matches(request.method) else {
            throw GatewayError(.invalidRequest, "The HTTP method is not a token.")
        }
        for header in request.headers {
            guard HTTPToken.matches(header.name) else {
                throw GatewayError(
                    .invalidRequest,
                    "A header name is empty or has a character that is not allowed in one."
                )
            }
            guard HeaderText.isSafe(header.value) else {
                throw GatewayError(
                    .invalidRequest,
                    "The value of header \(header.name) has a control character in it."
                )
            }
        }
    }

    /// The whole request.
    static func bytes(
        of request: HTTPTransportRequest,
        target: String,
        authority: String,
        allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        var body: [UInt8] = []
        if case .bytes(let bytes) = request.body { body = bytes }
        var buffer = allocator.buffer(capacity: 512 + body.count)
        buffer.writeString(request.method)
        buffer.writeInteger(UInt8(ascii: " "))
        buffer.writeString(target)
        buffer.writeStaticString(" HTTP/1.1\r\nHost: ")
        buffer.writeString(authority)
        var hasAgent = false
        var hasEncoding = false
        for header in request.headers where !isOwn(header.name) {
            if HeaderText.equals(header.name, "user-agent") { hasAgent = true }
            if HeaderText.equals(header.name, "accept-encoding") { hasEncoding = true }
            buffer.writeStaticString("\r\n")
            buffer.writeString(header.name)
            buffer.writeStaticString(": ")
            buffer.writeString(header.value)
        }
        if !hasAgent { buffer.writeStaticString("\r\nUser-Agent: ModelGateway") }
        if !hasEncoding { buffer.writeStaticString("\r\nAccept-Encoding: identity") }
        if saysLength(request) {
            buffer.writeStaticString("\r\nContent-Length: ")
            buffer.writeString(String(body.count))
        }
        buffer.writeStaticString("\r\n\r\n")
        buffer.writeBytes(body)
        return buffer
    }

    /// Methods that usually have a body say so when they have none (RFC 9110 §8.6).
    private static func saysLength(_ request: HTTPTransportRequest) -> Bool {
        if case .bytes = request.body { return true }
        return request.method == "POST" || request.method == "PUT" || request.method == "PATCH"
    }

    /// Headers that are the transport's own.
    private static func isOwn(_ name: String) -> Bool {
        switch name.utf8.count {
        case 4: HeaderText.equals(name, "host")
        case 6: HeaderText.equals(name, "expect")
        case 10: HeaderText.equals(name, "connection")
        case 14: HeaderText.equals(name, "content-length")
        case 17: HeaderText.equals(name, "transfer-encoding")
        default: false
        }
    }
}

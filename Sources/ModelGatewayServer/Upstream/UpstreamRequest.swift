// A request as the bytes of HTTP/1.1: head and body in one buffer, so that they leave in one write.

import GatewayWire
import ModelGateway
import NIOCore

/// Writes requests to engines. A streamed body follows the head later.
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

    /// The whole request, or its head if the body is a stream.
    /// - Parameter proxyAuthorization: What it shows to a proxy that reads it.
    static func bytes(
        of request: HTTPTransportRequest,
        target: String,
        authority: String,
        proxyAuthorization: String?,
        allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        var body: [UInt8] = []
        var size: Int? = 0
        switch request.body {
        case .bytes(let bytes):
            body = bytes
            size = bytes.count
        case .stream(_, let length): size = length
        case .none: break
        }
        // Collected first: a buffer takes one long piece with a fraction of the work for many short ones.
        let head = head(
            of: request,
            bodySize: size,
            target: target,
            authority: authority,
            proxyAuthorization: proxyAuthorization
        )
        var buffer = allocator.buffer(capacity: head.count + body.count)
        buffer.writeBytes(head)
        buffer.writeBytes(body)
        return buffer
    }

    private static func head(
        of request: HTTPTransportRequest,
        bodySize: Int?,
        target: String,
        authority: String,
        proxyAuthorization: String?
    ) -> [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(512)
        head.append(text: request.method)
        head.append(UInt8(ascii: " "))
        head.append(text: target)
        head.append(literal: " HTTP/1.1\r\nHost: ")
        head.append(text: authority)
        var hasAgent = false
        var hasEncoding = false
        for header in request.headers where !isOwn(header.name) {
            if HeaderText.equals(header.name, "user-agent") { hasAgent = true }
            if HeaderText.equals(header.name, "accept-encoding") { hasEncoding = true }
            head.append(literal: "\r\n")
            head.append(text: header.name)
            head.append(literal: ": ")
            head.append(text: header.value)
        }
        if let proxyAuthorization {
            head.append(literal: "\r\nProxy-Authorization: ")
            head.append(text: proxyAuthorization)
        }
        if !hasAgent { head.append(literal: "\r\nUser-Agent: ModelGateway") }
        if !hasEncoding { head.append(literal: "\r\nAccept-Encoding: identity") }
        if let bodySize {
            if saysLength(request) {
                head.append(literal: "\r\nContent-Length: ")
                Decimal.append(bodySize, to: &head)
            }
        } else {
            head.append(literal: "\r\nTransfer-Encoding: chunked")
        }
        head.append(literal: "\r\n\r\n")
        return head
    }

    /// Methods that usually have a body say so when they have none (RFC 9110 §8.6).
    static func saysLength(_ request: HTTPTransportRequest) -> Bool {
        if case .none = request.body {} else { return true }
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
        case 19: HeaderText.equals(name, "proxy-authorization")
        default: false
        }
    }
}

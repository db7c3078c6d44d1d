// Writing a response's head straight into the bytes that go out.

import ModelGateway
import NIOCore
import NIOHTTP1

/// How the end of a response's body is known.
enum BodyFraming: Equatable {
    case length(Int)
    case chunked
    /// By the end of the connection, for HTTP/1.0 clients.
    case untilClose
}

/// The head of a response that the data plane writes itself.
struct ResponseHead {
    var status: Int
    var headers: [HTTPHeader]
    var framing: BodyFraming
    var requestID: String
    var isKeptAlive: Bool
    /// Whether the client has to be told that the connection stays open (HTTP/1.0).
    var announcesKeepAlive: Bool

    /// Appends the status line and the header lines.
    func write(to buffer: inout ByteBuffer, date: DateHeader) {
        if status == 200 {
            buffer.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
            buffer.writeString("HTTP/1.1 \(status) \(reason)\r\n")
        }
        for header in headers where Self.isWritable(header) {
            buffer.writeString(header.name)
            buffer.writeStaticString(": ")
            buffer.writeString(header.value)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("x-request-id: ")
        buffer.writeString(requestID)
        buffer.writeStaticString("\r\ndate: ")
        buffer.writeBytes(date.bytes)
        switch framing {
        case .length(let count):
            buffer.writeStaticString("\r\ncontent-length: ")
            buffer.writeString(String(count))
        case .chunked:
            buffer.writeStaticString("\r\ntransfer-encoding: chunked")
        case .untilClose:
            break
        }
        if !isKeptAlive {
            buffer.writeStaticString("\r\nconnection: close")
        } else if announcesKeepAlive {
            buffer.writeStaticString("\r\nconnection: keep-alive")
        }
        buffer.writeStaticString("\r\n\r\n")
    }

    /// Lines of the connection and the framing are the server's own, and a line break in a value would forge a line.
    private static func isWritable(_ header: HTTPHeader) -> Bool {
        let owned: Bool =
            switch header.name.utf8.count {
            case 4: HeaderText.equals(header.name, "date")
            case 10: HeaderText.equals(header.name, "connection") || HeaderText.equals(header.name, "keep-alive")
            case 12: HeaderText.equals(header.name, "x-request-id")
            case 14: HeaderText.equals(header.name, "content-length")
            case 17: HeaderText.equals(header.name, "transfer-encoding")
            default: false
            }
        return !owned && !header.name.isEmpty && HeaderText.isSafe(header.name) && HeaderText.isSafe(header.value)
    }
}

/// Framing of body bytes as HTTP/1.1 chunks.
enum Chunk {
    /// Room for the length line and the line break behind the bytes.
    static let overhead = 20

    /// Appends one chunk; nothing for no bytes, because an empty chunk would end the body.
    static func write(_ bytes: [UInt8], to buffer: inout ByteBuffer) {
        guard !bytes.isEmpty else { return }
        writeHexadecimal(bytes.count, to: &buffer)
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(bytes)
        buffer.writeStaticString("\r\n")
    }

    private static func writeHexadecimal(_ number: Int, to buffer: inout ByteBuffer) {
        var shift = (Int.bitWidth - 1 - number.leadingZeroBitCount) & ~3
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number >> shift & 0xF)
            buffer.writeInteger(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
    }

    /// Appends the end of the body.
    static func writeEnd(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("0\r\n\r\n")
    }
}

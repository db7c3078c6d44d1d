// Writing a response's head straight into the bytes that go out.

import GatewayWire
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
        // Collected first: a buffer takes one long piece with a fraction of the work for many short ones.
        var text: [UInt8] = []
        text.reserveCapacity(512)
        write(to: &text, date: date)
        buffer.writeBytes(text)
    }

    private func write(to text: inout [UInt8], date: DateHeader) {
        if status == 200 {
            text.append(literal: "HTTP/1.1 200 OK\r\n")
        } else {
            let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
            text.append(text: "HTTP/1.1 \(status) \(reason)\r\n")
        }
        for header in headers where Self.isWritable(header) {
            text.append(text: header.name)
            text.append(literal: ": ")
            text.append(text: header.value)
            text.append(literal: "\r\n")
        }
        text.append(literal: "x-request-id: ")
        text.append(text: requestID)
        text.append(literal: "\r\ndate: ")
        text += date.bytes
        switch framing {
        case .length(let count):
            text.append(literal: "\r\ncontent-length: ")
            Decimal.append(count, to: &text)
        case .chunked:
            text.append(literal: "\r\ntransfer-encoding: chunked")
        case .untilClose:
            break
        }
        if !isKeptAlive {
            text.append(literal: "\r\nconnection: close")
        } else if announcesKeepAlive {
            text.append(literal: "\r\nconnection: keep-alive")
        }
        text.append(literal: "\r\n\r\n")
    }

    /// Lines of the connection and the framing are the server's own, and a line break in a value would forge a line.
    static func isWritable(_ header: HTTPHeader) -> Bool {
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
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count + overhead) { target in
            var count = writeHexadecimal(bytes.count, to: target)
            count += writeLineEnd(to: target, at: count)
            UnsafeMutableRawBufferPointer(rebasing: target[count...]).copyBytes(from: bytes)
            count += bytes.count
            return count + writeLineEnd(to: target, at: count)
        }
    }

    private static func writeHexadecimal(_ number: Int, to target: UnsafeMutableRawBufferPointer) -> Int {
        var shift = (Int.bitWidth - 1 - number.leadingZeroBitCount) & ~3
        var count = 0
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number >> shift & 0xF)
            target[count] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            count += 1
            shift -= 4
        }
        return count
    }

    private static func writeLineEnd(to target: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        target[offset] = 0x0D
        target[offset + 1] = 0x0A
        return 2
    }

    /// Appends the end of the body.
    static func writeEnd(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("0\r\n\r\n")
    }
}

// What a reader makes of the bytes of one HTTP response: this library's reader, and NIO's. The fuzz target has it, too.

import GatewayWire
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// What a reader makes of the bytes of one response and the end of the connection behind them.
enum ResponseVerdict: Equatable {
    case read(ResponseReading)
    /// Refused, with the reader's own words for why.
    case refused(String)
    /// Not read to its end.
    case cut
}

struct ResponseReading: Equatable {
    var status = 0
    var fields: [String] = []
    var body: [UInt8] = []
}

extension ResponseVerdict {
    /// Reads with this library's reader.
    init(here pieces: [[UInt8]]) {
        var reading = ResponseReading()
        var reader = HTTPResponseReader(maxHeadSize: 64 << 10)
        reader.begin(expectsBody: true)
        do throws(HTTPResponseError) {
            for piece in pieces where !reader.isComplete {
                _ = try piece.withBytes { bytes throws(HTTPResponseError) in
                    try reader.read(
                        bytes,
                        onHead: { head in
                            reading.status = head.status
                            reading.fields = Self.fields(head.lines)
                        },
                        onBody: { reading.body += $0 }
                    )
                }
            }
        } catch {
            switch error {
            case .malformed(let reason): self = .refused(reason)
            case .headTooLarge: self = .refused("its head is too large")
            }
            return
        }
        self = reader.end() ? .read(reading) : .cut
    }

    private static func fields(_ lines: [UInt8]) -> [String] {
        lines.split(separator: UInt8(ascii: "\n")).map { line in
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
            return field(line[..<colon], line[colon...].dropFirst())
        }
    }

    /// White space around a value is no part of it (RFC 9112 §5.1); NIO leaves tabs behind it there.
    fileprivate static func field(_ name: some Sequence<UInt8>, _ value: some BidirectionalCollection<UInt8>) -> String
    {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let trimmed = value.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return String(decoding: Array(name), as: UTF8.self) + ":" + String(decoding: Array(trimmed), as: UTF8.self)
    }

    /// Reads with NIO's reader. What it says of bytes behind the response does not count: they are the next one's.
    init(byNIO pieces: [[UInt8]]) {
        let decoder = HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(decoder))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var parts = ResponseParts()
        do {
            let request = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")
            try channel.writeOutbound(HTTPClientRequestPart.head(request))
            for piece in pieces where !parts.isComplete {
                try channel.writeInbound(ByteBuffer(bytes: piece))
                try parts.take(channel)
            }
            if !parts.isComplete {
                // The end of the connection ends a body that has no other end.
                channel.pipeline.fireChannelInactive()
                try channel.throwIfErrorCaught()
                try parts.take(channel)
            }
        } catch {
            try? parts.take(channel)
            if !parts.isComplete {
                self = error as? HTTPParserError == .invalidEOFState ? .cut : .refused("\(error)")
                return
            }
        }
        self = parts.isComplete ? .read(parts.reading) : .cut
    }
}

/// What NIO has handed out of a response so far.
private struct ResponseParts {
    var reading = ResponseReading()
    var isComplete = false

    mutating func take(_ channel: EmbeddedChannel) throws {
        while let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case _ where isComplete: break
            case .head(let head):
                reading.status = Int(head.status.code)
                reading.fields = head.headers.map { ResponseVerdict.field($0.name.utf8, $0.value.utf8) }
            case .body(let bytes): reading.body += bytes.readableBytesView
            case .end: isComplete = true
            }
        }
    }
}

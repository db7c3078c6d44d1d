// The library's reader of HTTP responses beside NIO's: what both read they read alike, whatever the bytes.

import GatewayWire
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@Suite("HTTP responses, read by this library and by NIO")
struct HTTPResponseDifferentialTests {
    /// What a reader makes of the bytes of one response.
    private struct Reading: Equatable {
        var status = 0
        var fields: [String] = []
        var body: [UInt8] = []
        var isComplete = false
    }

    @Test("Well-formed responses are read alike, in any pieces", arguments: 0..<8 as Range<UInt64>)
    func wellFormed(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<150 {
            let response = ResponseText.random(using: &random)
            let pieces = ResponseText.pieces(of: response, using: &random)
            let ours = try #require(readHere(pieces), "\(shown(response))")
            let theirs = try #require(readByNIO(pieces), "\(shown(response))")
            #expect(ours == theirs, "\(shown(response))")
            #expect(ours.isComplete, "\(shown(response))")
        }
    }

    @Test("Of broken responses, none is read as something else than NIO reads", arguments: 0..<16 as Range<UInt64>)
    func broken(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            let response = ResponseText.broken(using: &random)
            let pieces = ResponseText.pieces(of: response, using: &random)
            // Either may refuse what the other one reads; both may not read two different things.
            guard let ours = readHere(pieces), let theirs = readByNIO(pieces), ours.isComplete, theirs.isComplete else {
                continue
            }
            #expect(ours == theirs, "\(shown(response))")
        }
    }

    /// - Returns: Nil if the reader refuses the bytes.
    private func readHere(_ pieces: [[UInt8]]) -> Reading? {
        var reading = Reading()
        var reader = HTTPResponseReader(maximumHeadSize: 64 << 10)
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
            return nil
        }
        reading.isComplete = reader.end()
        return reading
    }

    private static func fields(_ lines: [UInt8]) -> [String] {
        lines.split(separator: UInt8(ascii: "\n")).map { line in
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
            return field(line[..<colon], line[colon...].dropFirst())
        }
    }

    /// White space around a value is no part of it (RFC 9112 §5.1); NIO leaves tabs behind it there.
    private static func field(_ name: some Sequence<UInt8>, _ value: some BidirectionalCollection<UInt8>) -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        let trimmed = value.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return String(decoding: Array(name), as: UTF8.self) + ":" + String(decoding: Array(trimmed), as: UTF8.self)
    }

    /// - Returns: Nil if NIO refuses the bytes.
    private func readByNIO(_ pieces: [[UInt8]]) -> Reading? {
        let decoder = HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(decoder))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var reading = Reading()
        do {
            let request = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")
            try channel.writeOutbound(HTTPClientRequestPart.head(request))
            for piece in pieces where !reading.isComplete {
                try channel.writeInbound(ByteBuffer(bytes: piece))
                try take(channel, into: &reading)
            }
            if !reading.isComplete {
                // The end of the connection ends a body that has no other end.
                channel.pipeline.fireChannelInactive()
                try channel.throwIfErrorCaught()
                try take(channel, into: &reading)
            }
        } catch {
            return nil
        }
        return reading
    }

    private func take(_ channel: EmbeddedChannel, into reading: inout Reading) throws {
        while let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case _ where reading.isComplete: break
            case .head(let head):
                reading.status = Int(head.status.code)
                reading.fields = head.headers.map { Self.field($0.name.utf8, $0.value.utf8) }
            case .body(let bytes): reading.body += bytes.readableBytesView
            case .end: reading.isComplete = true
            }
        }
    }

    private func shown(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
}

// What the wire layer costs per request and per event.

import Benchmark
import GatewayWire
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// A chat completion request whose prompt has about `bytes` bytes, as clients send it.
private func chatRequest(promptBytes bytes: Int) -> [UInt8] {
    let prompt = String(repeating: "The quick brown fox jumps over the lazy dog. ", count: bytes / 45 + 1).prefix(bytes)
    return Array(
        ("{\"model\":\"mock\",\"temperature\":0.2,\"messages\":[{\"role\":\"system\",\"content\":\"You are helpful.\"},"
            + "{\"role\":\"user\",\"content\":\"\(prompt)\"}],\"stream\":true,\"max_tokens\":256}").utf8
    )
}

private let event = Array(
    ("data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\","
        + "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"finish_reason\":null}]}\n\n").utf8
)

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        warmupIterations: 10,
        scalingFactor: .kilo,
        maxDuration: .seconds(2)
    )

    for bytes in [200, 32_768] {
        let request = chatRequest(promptBytes: bytes)
        let scaling: BenchmarkScalingFactor = bytes > 1_000 ? .one : .kilo
        let configuration = Benchmark.Configuration(scalingFactor: scaling)

        Benchmark("JSON scan of a request, \(bytes) B prompt", configuration: configuration) { benchmark in
            for _ in benchmark.scaledIterations { blackHole(try JSONDocument(request)) }
        }

        let document = try? JSONDocument(request)
        Benchmark("Splice of model and stream_options, \(bytes) B prompt", configuration: configuration) { benchmark in
            guard let document else { return benchmark.error("the request is not valid") }
            for _ in benchmark.scaledIterations {
                var splicer = JSONSplicer(document)
                splicer.set("model", to: Array("\"upstream-model\"".utf8))
                splicer.setDefault("stream_options", to: Array("{\"include_usage\":true}".utf8))
                blackHole(splicer.bytes())
            }
        }
    }

    Benchmark("SSE framing, one event a read") { benchmark in
        var parser = SSEParser()
        for _ in benchmark.scaledIterations { try parser.feed(event) { blackHole($0.data) } }
    }

    let batch = Array(repeating: event, count: 16).flatMap(\.self)
    Benchmark("SSE framing, 16 events a read") { benchmark in
        var parser = SSEParser()
        for _ in benchmark.scaledIterations { try parser.feed(batch) { blackHole($0.data) } }
    }

    let half = event.count / 2
    let (first, second) = (Array(event[..<half]), Array(event[half...]))
    Benchmark("SSE framing, an event in two reads") { benchmark in
        var parser = SSEParser()
        for _ in benchmark.scaledIterations {
            try parser.feed(first) { blackHole($0.data) }
            try parser.feed(second) { blackHole($0.data) }
        }
    }

    let answer = Array("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 300\r\n\r\n".utf8)
    let whole = answer + Array(repeating: UInt8(ascii: "x"), count: 300)
    Benchmark("HTTP response, head and 300 B body in one read") { benchmark in
        var reader = HTTPResponseReader(maxHeadSize: 1 << 18)
        for _ in benchmark.scaledIterations {
            reader.begin(expectsBody: true)
            try read(whole, with: &reader)
        }
    }

    Benchmark("HTTP response, head and 300 B body in one read, by NIO") { benchmark in
        let reader = try NIOReader()
        for _ in benchmark.scaledIterations { try reader.read(ByteBuffer(bytes: whole), isRequestNew: true) }
    }

    let head = Array("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".utf8)
    let chunk = Array("\(String(event.count, radix: 16))\r\n".utf8) + event + Array("\r\n".utf8)
    Benchmark("HTTP chunk of one event") { benchmark in
        var reader = HTTPResponseReader(maxHeadSize: 1 << 18)
        reader.begin(expectsBody: true)
        try read(head, with: &reader)
        for _ in benchmark.scaledIterations { try read(chunk, with: &reader) }
    }

    Benchmark("HTTP chunk of one event, by NIO") { benchmark in
        let reader = try NIOReader()
        try reader.read(ByteBuffer(bytes: head), isRequestNew: true)
        for _ in benchmark.scaledIterations { try reader.read(ByteBuffer(bytes: chunk), isRequestNew: false) }
    }
}

/// NIO's reader of responses, as a pipeline has it, on a channel without a socket.
private struct NIOReader {
    private let channel: EmbeddedChannel

    init() throws {
        let decoder = HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop)
        channel = EmbeddedChannel(handlers: [Swallow(), ByteToMessageHandler(decoder), Sink()])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    func read(_ bytes: ByteBuffer, isRequestNew: Bool) throws {
        if isRequestNew {
            // It wants to know which request it reads the response to.
            let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: "/")
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
        }
        channel.pipeline.fireChannelRead(bytes)
    }

    private final class Swallow: ChannelOutboundHandler {
        typealias OutboundIn = HTTPClientRequestPart

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {}
    }

    private final class Sink: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { blackHole(unwrapInboundIn(data)) }
    }
}

private func read(_ bytes: [UInt8], with reader: inout HTTPResponseReader) throws {
    let count = try bytes.withBytes { bytes throws(HTTPResponseError) in
        try reader.read(bytes, onHead: { blackHole($0.status) }, onBody: { blackHole($0.count) })
    }
    blackHole(count)
}

// When streams are read at longer intervals, and what of a stream arrives then.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import NIOCore
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StreamPaceTests {
    /// A pace on a virtual clock, and a thread that is busy for a given share of it.
    private struct Loop {
        var pace: StreamPace
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var used: Int64 = 0

        init(limit: TimeAmount = .milliseconds(40), busyShare: Double = 0.5) {
            pace = StreamPace(limit: limit, busyShare: busyShare)
            let used = used
            pace.update(at: now, processorTime: { used })
        }

        mutating func run(windows: Int = 1, share: Double) {
            for _ in 0..<windows { run(for: StreamPace.window, share: share) }
        }

        mutating func run(for time: TimeAmount, share: Double) {
            now = now + time
            used += Int64(Double(time.nanoseconds) * share)
            let used = used
            pace.update(at: now, processorTime: { used })
        }
    }

    @Test func `The pace slows step by step while the loop is busy`() {
        var loop = Loop()
        var delays: [TimeAmount] = []
        for _ in 0..<6 {
            loop.run(share: 0.8)
            delays.append(loop.pace.delay)
        }
        #expect(delays == [10, 20, 30, 40, 40, 40].map { .milliseconds($0) })
    }

    @Test func `The pace is kept between busy and idle, and given up when idle`() {
        var loop = Loop()
        loop.run(windows: 3, share: 0.5)
        #expect(loop.pace.delay == .milliseconds(30))
        loop.run(windows: 5, share: 0.4)
        #expect(loop.pace.delay == .milliseconds(30))
        loop.run(windows: 2, share: 0.3)
        #expect(loop.pace.delay == .milliseconds(10))
        loop.run(windows: 9, share: 0)
        #expect(loop.pace.delay == .zero)
    }

    @Test func `The pace judges whole windows only`() {
        var loop = Loop()
        loop.run(for: .milliseconds(99), share: 1)
        #expect(loop.pace.delay == .zero)
        loop.run(for: .milliseconds(1), share: 1)
        #expect(loop.pace.delay == .milliseconds(10))
    }

    @Test func `The pace begins anew after a time without streams`() {
        var loop = Loop()
        loop.run(windows: 4, share: 1)
        // Busy with something else: that is no reason to delay the first stream that comes.
        loop.run(for: .seconds(2), share: 1)
        #expect(loop.pace.delay == .zero)
    }

    @Test func `The pace never waits without a limit`() {
        var loop = Loop(limit: .zero)
        loop.run(windows: 10, share: 1)
        #expect(loop.pace.delay == .zero)
    }

    @Test func `Several pieces of a stream are sent at a time, and none is lost`() async throws {
        let pieces = (0..<300).map { Array("piece \($0)\n".utf8) }
        let engine = try ScriptedEngine { _ in
            .response(parts: pieces, framing: .chunked, pace: .milliseconds(2))
        }
        defer { engine.stop() }
        let pace = StreamPace(limit: .milliseconds(100), busyShare: 0)
        var options = UpstreamOptions()
        options.pace = pace
        let transport = EventLoopTransport(fallback: try CurlTransport(), options: options)
        let received = Lock<[[UInt8]]>([])
        let isWhole = try await withTaskExecutorPreference(transport.preferredExecutor) {
            let response = try await transport.send(HTTPTransportRequest(method: "GET", url: engine.url))
            return try await response.body.forward { bytes, _ in
                received.withLock { $0.append(bytes) }
                return true
            }
        }
        let parts = received.withLock { $0 }
        #expect(isWhole)
        #expect(parts.flatMap(\.self) == pieces.flatMap(\.self))
        // The first ones arrive one by one, before the pace has been found.
        #expect(parts.count < 200)
    }
}

// The virtual clock of the test support.

import ModelGatewayTesting
import Testing

@Suite(.timeLimit(.minutes(1)))
struct VirtualClockTests {
    @Test func `The clock wakes sleepers in the order of their deadlines`() async throws {
        let clock = VirtualClock()
        let (woken, signal) = AsyncStream.makeStream(of: Int.self)
        for seconds in [3, 1, 2, 9] {
            Task {
                try await clock.sleep(for: .seconds(seconds))
                signal.yield(seconds)
            }
        }
        await clock.waitForSleepers(4)
        var order: [Int] = []
        var iterator = woken.makeAsyncIterator()
        for step in 1...3 {
            clock.advance(by: .seconds(1))
            #expect(clock.elapsed == .seconds(step))
            order.append(try #require(await iterator.next()))
        }
        #expect(order == [1, 2, 3])
        #expect(clock.sleepers == 1)
        clock.advance(by: .seconds(60))
        #expect(await iterator.next() == 9)
    }

    @Test func `The clock does not sleep until the past`() async throws {
        let clock = VirtualClock(start: .seconds(10))
        try await clock.sleep(until: VirtualClock.Instant(elapsed: .seconds(10)))
        try await clock.sleep(for: .seconds(-1))
        clock.advance(by: .seconds(-5))
        #expect(clock.elapsed == .seconds(10))
    }

    @Test func `The clock ends the sleep of a cancelled task`() async throws {
        let clock = VirtualClock()
        let task = Task { try await clock.sleep(for: .seconds(1)) }
        await clock.waitForSleepers(1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleepers == 0)
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            try await clock.sleep(for: .seconds(1))
        }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
    }
}

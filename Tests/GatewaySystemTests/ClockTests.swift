// The system's clocks.

import Foundation
import GatewaySystem
import Testing

@Suite("Clocks")
struct ClockTests {
    @Test func `The time of day agrees with Foundation's`() {
        let before = Date().timeIntervalSince1970
        let (seconds, nanoseconds) = WallClock.now()
        #expect((before - 1...before + 60).contains(Double(seconds) + Double(nanoseconds) * 1e-9))
        #expect((0..<1_000_000_000).contains(nanoseconds))
    }

    @Test func `The clock for durations and a thread's processor time never go back`() {
        let start = (MonotonicClock.nanoseconds(), ThreadTime.nanoseconds())
        #expect(MonotonicClock.nanoseconds() >= start.0)
        #expect(ThreadTime.nanoseconds() >= start.1)
        #expect(start.1 > 0)
    }
}

// Counts of recent calls and failures, kept in ten slots of equal length.

/// A window that drops its oldest tenth at a time.
package struct SlidingWindow: Sendable {
    private static let slotCount: Int64 = 10

    private struct Slot: Sendable {
        var number: Int64 = -1
        var calls: Int32 = 0
        var failures: Int32 = 0
    }

    private let slotLength: Int64
    private var slots: [Slot]

    /// Creates an empty window.
    package init(length: Duration) {
        slotLength = max(1, length.nanoseconds / Self.slotCount)
        slots = Array(repeating: Slot(), count: Int(Self.slotCount))
    }

    /// Counts one call.
    package mutating func record(failure: Bool, now: MonotonicInstant) {
        let number = now.nanoseconds / slotLength
        let index = Int(number.magnitude % UInt64(Self.slotCount))
        if slots[index].number != number { slots[index] = Slot(number: number) }
        slots[index].calls &+= 1
        if failure { slots[index].failures &+= 1 }
    }

    /// The calls and failures in the window that ends now.
    package func counts(now: MonotonicInstant) -> (calls: Int, failures: Int) {
        let number = now.nanoseconds / slotLength
        var calls = 0
        var failures = 0
        for slot in slots where slot.number > number - Self.slotCount && slot.number <= number {
            calls += Int(slot.calls)
            failures += Int(slot.failures)
        }
        return (calls, failures)
    }
}

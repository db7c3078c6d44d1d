// A histogram of durations with constant relative error, as HdrHistogram's: linear steps within powers of two.

/// Counts nanosecond values from 0 to hours; a percentile is right to 0.8 %.
package struct Histogram {
    private static let stepBits = 7
    private static let steps = 1 << stepBits
    private var counts = [UInt64](repeating: 0, count: (64 - stepBits + 1) * steps)
    package private(set) var count: UInt64 = 0
    package private(set) var maximum: UInt64 = 0

    package init() {}

    package mutating func record(_ value: UInt64) {
        counts[Self.index(of: value)] += 1
        count += 1
        if value > maximum { maximum = value }
    }

    /// The smallest value that `fraction` (0…1) of the recorded ones do not exceed; 0 when nothing was recorded.
    package func percentile(_ fraction: Double) -> UInt64 {
        guard count > 0 else { return 0 }
        let wanted = max(1, UInt64((Double(count) * fraction).rounded(.up)))
        var seen: UInt64 = 0
        for index in counts.indices {
            seen += counts[index]
            if seen >= wanted { return min(Self.upperBound(of: index), maximum) }
        }
        return maximum
    }

    private static func index(of value: UInt64) -> Int {
        let magnitude = 64 - value.leadingZeroBitCount
        if magnitude <= stepBits { return Int(value) }
        let shift = magnitude - stepBits - 1
        return (shift + 1) * steps + Int(value >> UInt64(shift)) - steps
    }

    private static func upperBound(of index: Int) -> UInt64 {
        if index < steps { return UInt64(index) }
        let shift = UInt64(index / steps - 1)
        return ((UInt64(index % steps + steps) + 1) << shift) - 1
    }
}

import Loopback
import Testing

@Suite struct HistogramTests {
    @Test(arguments: [0, 1, 127, 128, 255, 256, 1_000, 123_456, 87_654_321, 9_876_543_210] as [UInt64])
    func `A single value is its own percentile`(value: UInt64) {
        var histogram = Histogram()
        histogram.record(value)
        #expect(histogram.percentile(0.5) == value)
        #expect(histogram.maximum == value)
    }

    @Test func `Percentiles are right to one percent`() {
        var histogram = Histogram()
        for value in 1...100_000 { histogram.record(UInt64(value) * 1_000) }
        for (fraction, exact) in [(0.5, 50_000_000.0), (0.9, 90_000_000), (0.99, 99_000_000), (0.999, 99_900_000)] {
            let found = Double(histogram.percentile(fraction))
            #expect(abs(found - exact) / exact < 0.01, "p\(fraction): \(found)")
        }
    }

    @Test func `A histogram without values is zero`() {
        #expect(Histogram().percentile(0.99) == 0)
    }
}

// How many tokens the prompts of each length had, with lengths distinguished to about three percent.

/// Counts by length: exact below 32, then with 32 steps per doubling.
struct SizeHistogram: Sendable {
    private static let steps = 32
    private static let doublings = 26

    private var sums = Array(repeating: 0.0, count: steps * doublings)
    /// The tokens of all prompts.
    private(set) var tokens = 0.0

    /// Counts prompts of one length; a negative count removes them.
    mutating func add(_ size: Int, count: Int) {
        let sum = Double(max(size, 1) * count)
        sums[Self.place(of: size)] += sum
        tokens += sum
    }

    /// The tokens of prompts shorter than a length.
    func tokens(below length: Double) -> Double {
        guard length < Self.lower(sums.count) else { return tokens }
        let place = Self.place(of: Int(length))
        let (low, high) = (Self.lower(place), Self.lower(place + 1))
        return sums[..<place].reduce(0, +) + sums[place] * (length - low) / (high - low)
    }

    /// A cursor that finds the lengths that correspond to ascending sums of tokens.
    func places() -> Cursor { Cursor(sums: sums) }

    /// Walks once over the lengths.
    struct Cursor {
        fileprivate let sums: [Double]
        private var place = 0
        private var before = 0.0

        fileprivate init(sums: [Double]) {
            self.sums = sums
        }

        /// The length below which prompts with this many tokens lie; not less than at the call before.
        mutating func next(tokens: Double) -> Double {
            while place < sums.count, before + sums[place] < tokens {
                before += sums[place]
                place += 1
            }
            guard place < sums.count else { return .infinity }
            let (low, high) = (SizeHistogram.lower(place), SizeHistogram.lower(place + 1))
            return sums[place] > 0 ? low + (high - low) * max(0, tokens - before) / sums[place] : low
        }
    }

    private static func place(of size: Int) -> Int {
        guard size >= steps else { return max(0, size) }
        let doubling = Int.bitWidth - 1 - size.leadingZeroBitCount - steps.trailingZeroBitCount
        return min((doubling + 1) * steps + (size >> doubling) - steps, steps * doublings - 1)
    }

    private static func lower(_ place: Int) -> Double {
        guard place >= steps else { return Double(place) }
        let doubling = place / steps - 1
        return Double((place % steps + steps) << doubling)
    }
}

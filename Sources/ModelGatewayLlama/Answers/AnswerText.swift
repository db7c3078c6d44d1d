// From the bytes of tokens to text that may be shown: whole characters, and nothing of a stop string.

/// Collects the bytes of an answer and gives out text as soon as it is certain.
///
/// Two things make a byte uncertain: it may be the first part of a character whose rest comes with the next token, and
/// it may be the beginning of a stop string. Such bytes are held back until more is known. Bytes that are not UTF-8
/// become U+FFFD.
struct AnswerText {
    private let stops: [[UInt8]]
    private let longestStop: Int
    private var held: [UInt8] = []

    /// Whether a stop string has come; then nothing more is given out.
    private(set) var isStopped = false

    init(stops: [String]) {
        self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
        longestStop = self.stops.map(\.count).max() ?? 0
    }

    /// Takes the bytes of one token and returns what is now certain, which may be nothing.
    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard !isStopped, !bytes.isEmpty else { return "" }
        // A stop string that ends in the new bytes begins at most its length before them.
        let from = max(0, held.count - longestStop + 1)
        held.append(contentsOf: bytes)
        if let stop = firstStop(from: from) {
            isStopped = true
            return take(stop)
        }
        return take(min(held.count - possibleStopSuffix, completeUTF8Count))
    }

    /// The text that was held back, when no more tokens come.
    mutating func finish() -> String {
        guard !isStopped else { return "" }
        return take(held.count)
    }

    private mutating func take(_ count: Int) -> String {
        guard count > 0 else { return "" }
        let text = String(decoding: held[..<count], as: UTF8.self)
        held.removeFirst(count)
        return text
    }

    /// Where the first stop string begins.
    private func firstStop(from start: Int) -> Int? {
        guard !stops.isEmpty else { return nil }
        for index in start..<held.count {
            for stop in stops where held[index...].starts(with: stop) { return index }
        }
        return nil
    }

    /// The number of bytes at the end that a stop string begins with.
    private var possibleStopSuffix: Int {
        var length = min(longestStop - 1, held.count)
        while length > 0 {
            let suffix = held.suffix(length)
            for stop in stops where stop.count > length && stop.starts(with: suffix) { return length }
            length -= 1
        }
        return 0
    }

    /// The number of bytes that do not end inside a character.
    private var completeUTF8Count: Int {
        var index = held.count - 1
        var continuations = 0
        while index >= 0, continuations < 3, held[index] & 0xC0 == 0x80 {
            continuations += 1
            index -= 1
        }
        guard index >= 0 else { return held.count }
        let length =
            switch held[index] {
            case 0xC2...0xDF: 2
            case 0xE0...0xEF: 3
            case 0xF0...0xF4: 4
            default: 1
            }
        return continuations + 1 < length ? index : held.count
    }
}

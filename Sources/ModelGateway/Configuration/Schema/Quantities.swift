// Durations and sizes as people write them: "250ms", "5s", "64MiB".

/// A length of time in a configuration: a number of seconds, or a number with a unit.
package enum DurationText {
    /// The units, smallest first, with their length in nanoseconds.
    static let units: [(name: String, nanoseconds: Double)] = [
        ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9), ("d", 86_400e9),
    ]

    /// Reads `5s`, `1.5h`, `250ms`, or plain seconds such as `30`. Nil for anything else.
    package static func parse(_ text: String) -> Duration? {
        let split = text.firstIndex { $0.isLetter } ?? text.endIndex
        let unit = String(text[split...])
        guard let number = Double(text[..<split].filter { $0 != " " || split == text.endIndex }) else { return nil }
        if unit.isEmpty { return seconds(number) }
        guard let scale = units.first(where: { $0.name == unit }) else { return nil }
        return seconds(number * scale.nanoseconds / 1e9)
    }

    /// A number of seconds, if a duration can hold it.
    package static func seconds(_ value: Double) -> Duration? {
        guard value.isFinite, abs(value) < 1e12 else { return nil }
        let whole = value.rounded(.down)
        let attoseconds = ((value - whole) * 1e9).rounded() * 1e9
        return Duration(secondsComponent: Int64(whole), attosecondsComponent: Int64(attoseconds))
    }

    /// The shortest spelling with a whole number: `90s`, `2m`, `250ms`.
    package static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if attoseconds != 0 {
            let milliseconds = Double(seconds) * 1e3 + Double(attoseconds) / 1e15
            return milliseconds == milliseconds.rounded() ? "\(Int(milliseconds))ms" : "\(Int(milliseconds * 1e3))us"
        }
        if seconds != 0, seconds % 3600 == 0 { return "\(seconds / 3600)h" }
        if seconds != 0, seconds % 60 == 0 { return "\(seconds / 60)m" }
        return "\(seconds)s"
    }
}

/// A number of bytes in a configuration.
package enum SizeText {
    static let units: [(name: String, bytes: Double)] = [
        ("B", 1), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9),
        ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824),
    ]

    /// Reads `64MiB`, `1.5 GB`, or plain bytes such as `65536`. Nil for anything else.
    package static func parse(_ text: String) -> Int? {
        let split = text.firstIndex { $0.isLetter } ?? text.endIndex
        let unit = String(text[split...])
        guard let number = Double(text[..<split].filter { $0 != " " }), number.isFinite else { return nil }
        let scale = unit.isEmpty ? 1 : units.first { $0.name == unit }?.bytes
        guard let scale, abs(number * scale) < 9e18 else { return nil }
        return Int(number * scale)
    }

    /// The shortest spelling with a whole number: `64MiB`.
    package static func format(_ bytes: Int) -> String {
        for (name, scale) in [("GiB", 1_073_741_824), ("MiB", 1_048_576), ("KiB", 1024)]
        where bytes != 0 && bytes % scale == 0 {
            return "\(bytes / scale)\(name)"
        }
        return "\(bytes)"
    }
}

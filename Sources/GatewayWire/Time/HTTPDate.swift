// Reading HTTP dates and the Retry-After header (RFC 9110, sections 5.6.7 and 10.2.3).

package enum HTTPDate {
    /// Seconds since 1970 of an HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT`, or one of the two obsolete forms that
    /// receivers must accept, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. The weekday is not
    /// checked. Nil for anything else.
    /// - Parameter now: Seconds since 1970; a two-digit year more than 50 years ahead of it is in the past century.
    package static func parse(_ text: UnsafeRawBufferPointer, now: Int) -> Int? {
        var reader = Reader(bytes: text)
        guard reader.skipLetters() >= 3 else { return nil }
        if reader.skip(UInt8(ascii: ",")) {
            guard reader.skip(0x20), let day = reader.digits(2...2) else { return nil }
            let isObsolete = reader.skip(UInt8(ascii: "-"))
            guard isObsolete || reader.skip(0x20), let month = reader.month(),
                reader.skip(isObsolete ? UInt8(ascii: "-") : 0x20),
                var year = reader.digits(isObsolete ? 2...2 : 4...4),
                reader.skip(0x20), let time = reader.timeOfDay(), reader.skip(0x20), reader.skip("GMT"), reader.isAtEnd
            else { return nil }
            if isObsolete { year = fullYear(year, now: now) }
            return seconds(year, month, day, time)
        }
        guard reader.skip(0x20), let month = reader.month(), reader.skip(0x20) else { return nil }
        let isPadded = reader.skip(0x20)
        guard let day = reader.digits(isPadded ? 1...1 : 2...2), reader.skip(0x20), let time = reader.timeOfDay(),
            reader.skip(0x20), let year = reader.digits(4...4), reader.isAtEnd
        else { return nil }
        return seconds(year, month, day, time)
    }

    private static func seconds(_ year: Int, _ month: Int, _ day: Int, _ time: Reader.TimeOfDay) -> Int? {
        CivilTime.unixSeconds(
            year: year,
            month: month,
            day: day,
            hour: time.hour,
            minute: time.minute,
            second: time.second
        )
    }

    private static func fullYear(_ twoDigits: Int, now: Int) -> Int {
        let thisYear = CivilTime(unixSeconds: now).year
        let year = thisYear - thisYear % 100 + twoDigits
        return year > thisYear + 50 ? year - 100 : year
    }
}

/// The Retry-After header.
package enum RetryAfter {
    /// How many seconds to wait: the header's number, rounded up if it has a fraction (some providers send one), or
    /// the time until its date, at least 0. Nil when it is neither, so that a broken header changes nothing.
    /// - Parameter now: Seconds since 1970.
    package static func parse(_ text: UnsafeRawBufferPointer, now: Int) -> Int? {
        var reader = Reader(bytes: text)
        while reader.skip(0x20) || reader.skip(0x09) {}
        var end = text.count
        while end > reader.position, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
        let value = text.clamped(to: reader.position..<end)
        guard let first = value.first else { return nil }
        guard first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9") else {
            return HTTPDate.parse(value, now: now).map { max(0, $0 - now) }
        }
        var number = Reader(bytes: value)
        // A number that long means "not before the end of time"; it is kept in range.
        guard let seconds = number.digits(1...15) else { return nil }
        if number.isAtEnd { return seconds }
        guard number.skip(UInt8(ascii: ".")), let fraction = number.digits(1...15), number.isAtEnd else { return nil }
        return fraction == 0 ? seconds : seconds + 1
    }
}

/// A cursor over the fixed fields of a date.
private struct Reader {
    struct TimeOfDay {
        let hour: Int
        let minute: Int
        let second: Int
    }

    let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func skip(_ word: StaticString) -> Bool {
        let end = position + word.utf8CodeUnitCount
        guard bytes.clamped(to: position..<end).equals(word) else { return false }
        position = end
        return true
    }

    mutating func skipLetters() -> Int {
        let start = position
        while position < bytes.count, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[position] | 0x20) {
            position += 1
        }
        return position - start
    }

    /// A run of digits whose length is in `lengths`.
    mutating func digits(_ lengths: ClosedRange<Int>) -> Int? {
        var value = 0
        var count = 0
        while position < bytes.count, count < lengths.upperBound, bytes[position] &- UInt8(ascii: "0") < 10 {
            value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
            position += 1
            count += 1
        }
        return count >= lengths.lowerBound ? value : nil
    }

    mutating func month() -> Int? {
        let name = bytes.clamped(to: position..<position + 3)
        guard let index = CivilTime.months.firstIndex(where: { name.equals($0) }) else { return nil }
        position += 3
        return index + 1
    }

    mutating func timeOfDay() -> TimeOfDay? {
        guard let hour = digits(2...2), skip(UInt8(ascii: ":")), let minute = digits(2...2),
            skip(UInt8(ascii: ":")), let second = digits(2...2)
        else { return nil }
        return TimeOfDay(hour: hour, minute: minute, second: second)
    }
}

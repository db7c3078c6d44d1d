// Days to dates and back in the proleptic Gregorian calendar, UTC, and the textual forms of a moment
// (algorithms: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").

/// A moment in UTC, split into calendar fields.
package struct CivilTime: Equatable, Sendable {
    package let year: Int
    /// 1 to 12.
    package let month: Int
    /// 1 to 31.
    package let day: Int
    package let hour: Int
    package let minute: Int
    package let second: Int
    /// 0 is Sunday.
    package let weekday: Int

    /// The fields of a moment. Moments outside the years 0 to 9999 are moved to the nearest one inside.
    package init(unixSeconds: Int) {
        let seconds = min(max(unixSeconds, -62_167_219_200), 253_402_300_799)
        let days = Int(floorDivide(seconds, 86_400))
        let rest = seconds - days * 86_400
        // Years start in March here, so that the leap day is the last day of its year.
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        weekday = ((days + 4) % 7 + 7) % 7
    }

    /// Seconds since 1970 of a date and time, or nil if there is no such date or time. A leap second (60) counts as
    /// the second after it.
    package static func unixSeconds(
        year: Int,
        month: Int,
        day: Int,
        hour: Int,
        minute: Int,
        second: Int
    ) -> Int? {
        guard (0...9999).contains(year), (1...12).contains(month), (1...daysInMonth(year, month)).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return days * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func daysInMonth(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

private func floorDivide(_ value: Int, _ divisor: Int) -> Int {
    value >= 0 ? value / divisor : (value - divisor + 1) / divisor
}

// MARK: - Writing

extension CivilTime {
    static let weekdays: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let months: [StaticString] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Appends an RFC 3339 time such as `2026-11-21T09:16:29Z`.
    /// - Parameter milliseconds: When given, three digits of fraction are written.
    package func appendRFC3339(milliseconds: Int? = nil, to output: inout [UInt8]) {
        Decimal.append(year, width: 4, to: &output)
        output.append(UInt8(ascii: "-"))
        Decimal.append(month, width: 2, to: &output)
        output.append(UInt8(ascii: "-"))
        Decimal.append(day, width: 2, to: &output)
        output.append(UInt8(ascii: "T"))
        appendTimeOfDay(to: &output)
        if let milliseconds {
            output.append(UInt8(ascii: "."))
            Decimal.append(milliseconds, width: 3, to: &output)
        }
        output.append(UInt8(ascii: "Z"))
    }

    /// Appends an HTTP date (RFC 9110, IMF-fixdate) such as `Sat, 21 Nov 2026 09:16:29 GMT`.
    package func appendHTTPDate(to output: inout [UInt8]) {
        output.append(literal: Self.weekdays[weekday])
        output.append(literal: ", ")
        Decimal.append(day, width: 2, to: &output)
        output.append(0x20)
        output.append(literal: Self.months[month - 1])
        output.append(0x20)
        Decimal.append(year, width: 4, to: &output)
        output.append(0x20)
        appendTimeOfDay(to: &output)
        output.append(literal: " GMT")
    }

    private func appendTimeOfDay(to output: inout [UInt8]) {
        Decimal.append(hour, width: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        Decimal.append(minute, width: 2, to: &output)
        output.append(UInt8(ascii: ":"))
        Decimal.append(second, width: 2, to: &output)
    }

    /// The moment as an RFC 3339 string.
    package var rfc3339: String {
        var bytes: [UInt8] = []
        appendRFC3339(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

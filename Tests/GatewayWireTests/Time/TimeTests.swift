// Calendar arithmetic, the date formats, and the headers that carry dates.

import Foundation
import GatewayWire
import Testing

@Suite("Time")
struct TimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_000_000_000, "2001-09-09T01:46:40Z", "Sun, 09 Sep 2001 01:46:40 GMT"),
            (1_795_252_589, "2026-11-21T09:16:29Z", "Sat, 21 Nov 2026 09:16:29 GMT"),
            (4_107_542_400, "2100-03-01T00:00:00Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_799, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ]
    )
    func `Known moments are written and read`(seconds: Int, rfc3339: String, httpDate: String) {
        let time = CivilTime(unixSeconds: seconds)
        #expect(time.rfc3339 == rfc3339)
        var written: [UInt8] = []
        time.appendHTTPDate(to: &written)
        #expect(String(decoding: written, as: UTF8.self) == httpDate)
        #expect(Array(httpDate.utf8).withBytes { HTTPDate.parse($0, now: 0) } == seconds)
    }

    @Test func `Every day of 800 years there and back, against Foundation every so often`() {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0) ?? .current
        for day in -146_000...146_000 {
            let seconds = day * 86_400 + 43_199
            let time = CivilTime(unixSeconds: seconds)
            let back = CivilTime.unixSeconds(
                year: time.year,
                month: time.month,
                day: time.day,
                hour: time.hour,
                minute: time.minute,
                second: time.second
            )
            if back != seconds { Issue.record("\(seconds)") }
            // Foundation counts in the Julian calendar before 1582.
            guard day % 997 == 0, time.year > 1582 else { continue }
            let parts = calendar.dateComponents(
                [.year, .month, .day, .weekday],
                from: Date(timeIntervalSince1970: Double(seconds))
            )
            #expect(
                [parts.year, parts.month, parts.day, parts.weekday] == [
                    time.year, time.month, time.day, time.weekday + 1,
                ]
            )
        }
    }

    @Test(
        arguments: [
            (2023, 2, 29), (2100, 2, 29), (2024, 4, 31), (2024, 13, 1), (2024, 0, 1), (2024, 1, 0), (-1, 1, 1),
            (10_000, 1, 1),
        ]
    )
    func `Impossible dates are refused`(year: Int, month: Int, day: Int) {
        #expect(CivilTime.unixSeconds(year: year, month: month, day: day, hour: 0, minute: 0, second: 0) == nil)
    }

    @Test func `Extreme moments stay in range`() {
        #expect(CivilTime(unixSeconds: .max).rfc3339 == "9999-12-31T23:59:59Z")
        #expect(CivilTime(unixSeconds: .min).rfc3339 == "0000-01-01T00:00:00Z")
    }

    @Test func `Milliseconds are written`() {
        var bytes: [UInt8] = []
        CivilTime(unixSeconds: 0).appendRFC3339(milliseconds: 7, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "1970-01-01T00:00:00.007Z")
    }

    @Test(
        arguments: ["Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT"]
    )
    func `The obsolete date forms are read`(text: String) {
        #expect(Array(text.utf8).withBytes { HTTPDate.parse($0, now: 1_700_000_000) } == 784_111_777)
    }

    @Test(
        arguments: [
            "", "Sun", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 GMT ", "1994-11-06T08:49:37Z", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT", "Sun Nov 66 08:49:37 1994",
        ]
    )
    func `What is not an HTTP date is refused`(text: String) {
        #expect(Array(text.utf8).withBytes { HTTPDate.parse($0, now: 0) } == nil)
    }

    @Test(
        arguments: [
            ("120", 120), ("0", 0), (" 7 ", 7), ("1.2", 2), ("3.0", 3), ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
            ("Sun, 06 Nov 1994 08:48:00 GMT", 0),
            ("-1", nil), ("soon", nil), ("", nil), ("  ", nil), ("1s", nil), ("1.", nil),
            ("99999999999999999999999", nil), ("999999999999999", 999_999_999_999_999),
        ] as [(String, Int?)]
    )
    func `Retry-After is read as seconds or as a date`(text: String, expected: Int?) {
        #expect(Array(text.utf8).withBytes { RetryAfter.parse($0, now: 784_111_740) } == expected)
    }

    @Test func `Any bytes are parsed without harm, and what is accepted is in range`() {
        var generator = SeededGenerator(seed: 10)
        let alphabet = Array("Sun, 06Nov-1994:37GMT.".utf8)
        for _ in 0..<20_000 {
            var bytes = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] =
                    alphabet.randomElement(using: &generator) ?? 0
            }
            bytes.removeLast(Int.random(in: 0..<3, using: &generator))
            let seconds = bytes.withBytes { RetryAfter.parse($0, now: 0) }
            #expect((seconds ?? 0) >= 0)
        }
    }
}

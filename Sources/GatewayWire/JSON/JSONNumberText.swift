// Reading a JSON number without a copy where that is exact, and through the standard library where it is not.

enum JSONNumberText {
    /// The parts of a number: its digits as an integer, if they fit, and its power of ten.
    private struct Parts {
        var digits: UInt64 = 0
        var exponent = 0
        var isNegative = false
        /// False when the digits or the exponent do not fit.
        var isExact = true
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    static func int(_ text: UnsafeRawBufferPointer) -> Int? {
        var parts = parse(text)
        guard parts.isExact else { return nil }
        while parts.exponent < 0, parts.digits % 10 == 0, parts.digits != 0 {
            parts.digits /= 10
            parts.exponent += 1
        }
        if parts.digits == 0 { return 0 }
        guard parts.exponent >= 0, parts.exponent < 20 else { return nil }
        for _ in 0..<parts.exponent {
            let (product, overflow) = parts.digits.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            parts.digits = product
        }
        if parts.isNegative {
            return parts.digits <= UInt64(Int.max) + 1 ? Int(truncatingIfNeeded: 0 &- parts.digits) : nil
        }
        return Int(exactly: parts.digits)
    }

    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        let parts = parse(text)
        // Both operands are exact doubles, so the one rounding of the product or quotient gives the nearest double
        // (Clinger 1990).
        if parts.isExact, parts.digits < 1 << 53, abs(parts.exponent) < powersOfTen.count {
            let digits = Double(parts.digits)
            let power = powersOfTen[abs(parts.exponent)]
            let magnitude = parts.exponent < 0 ? digits / power : digits * power
            return parts.isNegative ? -magnitude : magnitude
        }
        guard let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite else { return nil }
        return value
    }

    private static func parse(_ text: UnsafeRawBufferPointer) -> Parts {
        var parts = Parts()
        var index = 0
        if text.first == UInt8(ascii: "-") {
            parts.isNegative = true
            index = 1
        }
        var isFraction = false
        while index < text.count {
            let byte = text[index]
            let digit = byte &- UInt8(ascii: "0")
            if digit < 10 {
                let (product, overflow) = parts.digits.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
                if overflow || carry { parts.isExact = false } else { parts.digits = sum }
                if isFraction { parts.exponent &-= 1 }
            } else if byte == UInt8(ascii: ".") {
                isFraction = true
            } else {
                parseExponent(text, from: index + 1, into: &parts)
                break
            }
            index += 1
        }
        return parts
    }

    private static func parseExponent(_ text: UnsafeRawBufferPointer, from start: Int, into parts: inout Parts) {
        var index = start
        var value = 0
        let isNegative = index < text.count && text[index] == UInt8(ascii: "-")
        if index < text.count, isNegative || text[index] == UInt8(ascii: "+") { index += 1 }
        while index < text.count {
            value = value * 10 + Int(text[index] &- UInt8(ascii: "0"))
            guard value < 100_000 else {
                parts.isExact = false
                return
            }
            index += 1
        }
        parts.exponent += isNegative ? -value : value
    }
}

// Writing integers as decimal digits.

package enum Decimal {
    /// Appends the digits of `value`, with a minus sign if it is negative.
    package static func append(_ value: Int, to output: inout [UInt8]) {
        if value < 0 { output.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        guard rest >= 10 else {
            output.append(UInt8(ascii: "0") + UInt8(rest))
            return
        }
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var start = 20
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            output.append(bytes: UnsafeRawBufferPointer(rebasing: digits[start...]))
        }
    }

    /// Appends exactly `width` digits, with leading zeros; higher digits are cut off.
    package static func append(_ value: Int, width: Int, to output: inout [UInt8]) {
        guard width > 0 else { return }
        var rest = value.magnitude
        withUnsafeTemporaryAllocation(byteCount: width, alignment: 1) { digits in
            var place = width
            while place > 0 {
                place -= 1
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            output.append(bytes: UnsafeRawBufferPointer(digits))
        }
    }
}

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
        let end = output.count + max(0, width)
        var rest = value.magnitude
        for _ in 0..<max(0, width) { output.append(UInt8(ascii: "0")) }
        for place in stride(from: end - 1, through: end - max(0, width), by: -1) {
            output[place] += UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}

// Base 64 (RFC 4648, section 4), and embeddings as base 64 of little-endian 32-bit floats.

package enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    private static let invalid: UInt8 = 0xFF

    private static let values: [UInt8] = {
        var table = [UInt8](repeating: invalid, count: 256)
        for index in 0..<64 { table[Int(alphabet.utf8Start[index])] = UInt8(index) }
        return table
    }()

    /// Appends the bytes in base 64, padded.
    package static func encode(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        let length = (bytes.count + 2) / 3 * 4
        let text = [UInt8](unsafeUninitializedCapacity: length) { target, count in
            var input = 0
            var place = 0
            let digits = alphabet.utf8Start
            while input < bytes.count {
                let rest = bytes.count &- input
                let second = rest > 1 ? bytes[input &+ 1] : 0
                let third = rest > 2 ? bytes[input &+ 2] : 0
                let group = Int(bytes[input]) << 16 | Int(second) << 8 | Int(third)
                target[place] = digits[group >> 18]
                target[place &+ 1] = digits[group >> 12 & 63]
                target[place &+ 2] = rest > 1 ? digits[group >> 6 & 63] : UInt8(ascii: "=")
                target[place &+ 3] = rest > 2 ? digits[group & 63] : UInt8(ascii: "=")
                input &+= 3
                place &+= 4
            }
            count = length
        }
        output.append(contentsOf: text)
    }

    /// The bytes that the text stands for. Padding may be missing, but not be wrong; white space, other characters
    /// and leftover bits that are not zero give nil.
    package static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var count = text.count
        if count % 4 == 0, count > 0, text[count - 1] == UInt8(ascii: "=") {
            count -= text[count - 2] == UInt8(ascii: "=") ? 2 : 1
        }
        guard count % 4 != 1 else { return nil }
        var leftover: UInt32 = 0
        var isValid = true
        let output = values.withUnsafeBufferPointer { table in
            [UInt8](unsafeUninitializedCapacity: count * 3 / 4) { target, written in
                var group: UInt32 = 0
                var bits: UInt32 = 0
                for index in 0..<count {
                    let value = table[Int(text[index])]
                    isValid = isValid && value != invalid
                    group = group << 6 | UInt32(value & 63)
                    bits &+= 6
                    if bits >= 8 {
                        bits &-= 8
                        target[written] = UInt8(truncatingIfNeeded: group >> bits)
                        written &+= 1
                    }
                }
                leftover = group & ((1 << bits) &- 1)
            }
        }
        return isValid && leftover == 0 ? output : nil
    }

    /// Appends an embedding as base 64 of its little-endian 32-bit floats, as OpenAI's `encoding_format: base64`.
    package static func encode(floats: [Float], to output: inout [UInt8]) {
        let words = floats.map { $0.bitPattern.littleEndian }
        words.withUnsafeBytes { encode($0, to: &output) }
    }

    /// The floats of an embedding in base 64; nil when the text is not base 64 or its bytes are not whole floats.
    package static func decodeFloats(_ text: UnsafeRawBufferPointer) -> [Float]? {
        guard let bytes = decode(text), bytes.count % 4 == 0 else { return nil }
        return bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { offset in
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            }
        }
    }
}

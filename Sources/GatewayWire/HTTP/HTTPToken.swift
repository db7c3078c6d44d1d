// What methods and names of header lines are made of.

/// The tokens of HTTP (RFC 9110 §5.6.2).
package enum HTTPToken {
    /// Whether a text is a token: not empty, and of letters, digits and a few signs only.
    package static func matches(_ text: String) -> Bool {
        text.withBytes { bytes in
            for byte in bytes where !isByte(byte) { return false }
            return !bytes.isEmpty
        }
    }

    @inline(__always)
    private static func isByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x2D, 0x30...0x39, 0x41...0x5A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}

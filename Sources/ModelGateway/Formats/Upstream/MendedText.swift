// The one rule for answers that are not all UTF-8: each ill-formed piece becomes U+FFFD, whole or in a stream.

import GatewayWire

/// What stands for text of an upstream that is not all UTF-8.
///
/// A client that decodes strictly would fail on it in the middle of an answer, and refusing it would throw away an
/// answer that was paid for; every lenient decoder shows the same character.
package enum MendedText {
    /// The text with U+FFFD for what is ill-formed; nil if nothing is.
    package static func mended(_ bytes: [UInt8]) -> [UInt8]? {
        bytes.withBytes { mended($0) }
    }

    /// The text with U+FFFD for what is ill-formed; nil if nothing is.
    package static func mended(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.utf8.elementsEqual(bytes) ? nil : Array(text.utf8)
    }
}

extension JSONValue {
    /// Reads what an upstream sent; nil if it is not JSON.
    package init?(upstream bytes: [UInt8]) {
        if let json = try? JSONValue(parsing: bytes) {
            self = json
        } else if let mended = MendedText.mended(bytes), let json = try? JSONValue(parsing: mended) {
            self = json
        } else {
            return nil
        }
    }
}

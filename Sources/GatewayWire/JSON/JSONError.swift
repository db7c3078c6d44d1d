// What is wrong with a JSON text, and where.

/// A JSON text that cannot be read: the reason and the offset of the offending byte.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The rule that was broken.
    package enum Reason: Equatable, Sendable {
        case unexpectedEnd
        case expectedValue
        case expectedKey
        case expectedColon
        case expectedCommaOrObjectEnd
        case expectedCommaOrArrayEnd
        case expectedObject
        case expectedArray
        case invalidLiteral
        case invalidNumber
        case invalidEscape
        case invalidUTF8
        case controlCharacter
        case nestedTooDeep
        case trailingData
    }

    package let reason: Reason
    /// Byte offset from the start of the buffer that was scanned.
    package let offset: Int

    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// A sentence without the final stop, for example `expected ':' after object key at byte 17`.
    package var description: String { "\(reason.sentence) at byte \(offset)" }
}

extension JSONError.Reason {
    fileprivate var sentence: String {
        switch self {
        case .unexpectedEnd: "unexpected end of JSON"
        case .expectedValue: "expected a value"
        case .expectedKey: "expected an object key in double quotes"
        case .expectedColon: "expected ':' after object key"
        case .expectedCommaOrObjectEnd: "expected ',' or '}' after object member"
        case .expectedCommaOrArrayEnd: "expected ',' or ']' after array element"
        case .expectedObject: "expected an object"
        case .expectedArray: "expected an array"
        case .invalidLiteral: "invalid literal, expected true, false or null"
        case .invalidNumber: "invalid number"
        case .invalidEscape: "invalid escape sequence in string"
        case .invalidUTF8: "invalid UTF-8 in string"
        case .controlCharacter: "unescaped control character in string"
        case .nestedTooDeep: "nested too deeply"
        case .trailingData: "unexpected data after the JSON value"
        }
    }
}

// What a word of YAML means, which is also how the values of environment variables are read.

/// The core schema of YAML 1.2 (section 10.3.2): what a plain scalar means.
enum YAMLScalar {
    static func value(plain text: String) -> ConfigurationNode.Value {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        default: return number(text) ?? .string(text)
        }
    }

    private static func number(_ text: String) -> ConfigurationNode.Value? {
        var digits = Substring(text)
        let negative = digits.first == "-"
        if negative || digits.first == "+" { digits.removeFirst() }
        switch digits.lowercased() {
        case ".inf": return .number(negative ? -.infinity : .infinity)
        case ".nan": return .number(.nan)
        default: break
        }
        if text.hasPrefix("0x") { return Int(text.dropFirst(2), radix: 16).map { .integer($0) } }
        if text.hasPrefix("0o") { return Int(text.dropFirst(2), radix: 8).map { .integer($0) } }
        guard let first = digits.utf8.first, first == UInt8(ascii: ".") || isDigit(first) else { return nil }
        if digits.utf8.allSatisfy(isDigit) { return Int(text).map { .integer($0) } ?? Double(text).map { .number($0) } }
        let allowed = digits.utf8.allSatisfy {
            isDigit($0) || $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: "+")
        }
        guard allowed else { return nil }
        return Double(text).map { .number($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

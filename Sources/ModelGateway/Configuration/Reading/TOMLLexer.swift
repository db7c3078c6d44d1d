// The tokens of TOML 1.0: blank space, keys, the four kinds of strings, numbers, booleans and dates.

struct TOMLLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { advance(3) }
    }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func peek(_ offset: Int) -> UInt8? { position + offset < bytes.count ? bytes[position + offset] : nil }

    var mark: SourceMark {
        let scalars = bytes[lineStart..<position].count { $0 & 0xC0 != 0x80 }
        return SourceMark(line: line, column: scalars + 1)
    }

    func error(_ message: String) -> ConfigurationSyntaxError {
        ConfigurationSyntaxError("not valid TOML: \(message)", at: mark)
    }

    mutating func advance(_ count: Int = 1) {
        position += count
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    // MARK: Blank space

    mutating func skipSpace() {
        while peek == 0x20 || peek == 0x09 { position += 1 }
    }

    mutating func skipBlankLines() throws(ConfigurationSyntaxError) {
        while true {
            skipSpace()
            if peek == UInt8(ascii: "#") { try skipComment() }
            guard try takeNewline() else { return }
        }
    }

    mutating func endOfLine() throws(ConfigurationSyntaxError) {
        skipSpace()
        if peek == UInt8(ascii: "#") { try skipComment() }
        if peek == nil { return }
        guard try takeNewline() else { throw error("the line must end after the value") }
    }

    private mutating func takeNewline() throws(ConfigurationSyntaxError) -> Bool {
        if peek == 0x0D {
            guard peek(1) == 0x0A else {
                throw error("a carriage return without a line feed; end each line with a line feed")
            }
            position += 1
        }
        guard take(0x0A) else { return false }
        line += 1
        lineStart = position
        return true
    }

    private mutating func skipComment() throws(ConfigurationSyntaxError) {
        while let byte = peek, byte != 0x0A, !(byte == 0x0D && peek(1) == 0x0A) {
            guard !Self.isControl(byte) else { throw error("a control character in a comment; remove it") }
            position += 1
        }
    }

    private static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 && byte != 0x09 || byte == 0x7F }

    // MARK: Keys and strings

    mutating func key() throws(ConfigurationSyntaxError) -> TOMLKey {
        let mark = mark
        if peek == UInt8(ascii: "\"") || peek == UInt8(ascii: "'") {
            guard !isTriple else { throw error("a key cannot be a multi-line string") }
            return TOMLKey(name: try string(), mark: mark)
        }
        let start = position
        while let byte = peek, Self.isBare(byte) { position += 1 }
        guard position > start else { throw error("a key was expected, such as port = 8080") }
        return TOMLKey(name: text(start..<position), mark: mark)
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private var isTriple: Bool { peek(1) == peek && peek(2) == peek }

    /// A string of any of the four kinds; the position is at its opening quote.
    mutating func string() throws(ConfigurationSyntaxError) -> String {
        guard let quote = peek else { throw error("a string was expected") }
        let opening = mark
        let multiline = isTriple
        advance(multiline ? 3 : 1)
        if multiline { _ = try takeNewline() }
        var result: [UInt8] = []
        while let byte = peek {
            if byte == quote, try closes(quote, multiline, &result) { return String(decoding: result, as: UTF8.self) }
            if byte == quote { continue }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                try escape(multiline, &result)
            } else if byte == 0x0A || byte == 0x0D {
                guard multiline else { break }
                _ = try takeNewline()
                result.append(0x0A)
            } else {
                guard !Self.isControl(byte) else {
                    throw error("a control character in a string; write it as an escape such as \\t")
                }
                result.append(byte)
                position += 1
            }
        }
        let rule = multiline ? "three quotes must close it" : "a quote must close it on the same line"
        throw ConfigurationSyntaxError("not valid TOML: the string does not end; \(rule)", at: opening)
    }

    /// At a quote: whether it ends the string. Quotes that belong to a multi-line string are added to it.
    private mutating func closes(
        _ quote: UInt8,
        _ multiline: Bool,
        _ result: inout [UInt8]
    ) throws(ConfigurationSyntaxError) -> Bool {
        var run = 0
        while peek(run) == quote { run += 1 }
        guard multiline else {
            position += 1
            return true
        }
        guard run <= 5 else { throw error("too many quotes at the end of the string; three close it") }
        position += run
        result += [UInt8](repeating: quote, count: run >= 3 ? run - 3 : run)
        return run >= 3
    }

    private mutating func escape(_ multiline: Bool, _ result: inout [UInt8]) throws(ConfigurationSyntaxError) {
        let simple: UInt8
        switch peek(1) {
        case UInt8(ascii: "b"): simple = 0x08
        case UInt8(ascii: "t"): simple = 0x09
        case UInt8(ascii: "n"): simple = 0x0A
        case UInt8(ascii: "f"): simple = 0x0C
        case UInt8(ascii: "r"): simple = 0x0D
        case UInt8(ascii: "\""): simple = UInt8(ascii: "\"")
        case UInt8(ascii: "\\"): simple = UInt8(ascii: "\\")
        case UInt8(ascii: "u"): return try unicodeEscape(digits: 4, &result)
        case UInt8(ascii: "U"): return try unicodeEscape(digits: 8, &result)
        default:
            guard multiline, try skipLineContinuation() else {
                throw error("an unknown escape in a string; write \\\\ for a backslash")
            }
            return
        }
        result.append(simple)
        advance(2)
    }

    private mutating func skipLineContinuation() throws(ConfigurationSyntaxError) -> Bool {
        let start = self
        advance()
        skipSpace()
        guard try takeNewline() else {
            self = start
            return false
        }
        repeat { skipSpace() } while try takeNewline()
        return true
    }

    private mutating func unicodeEscape(digits: Int, _ result: inout [UInt8]) throws(ConfigurationSyntaxError) {
        let start = position + 2
        guard start + digits <= bytes.count, bytes[start..<start + digits].allSatisfy(Self.isHexDigit),
            let code = UInt32(text(start..<start + digits), radix: 16), let scalar = Unicode.Scalar(code)
        else { throw error("no Unicode character has this escape; it is \\uXXXX or \\UXXXXXXXX") }
        result += Array(String(Character(scalar)).utf8)
        position = start + digits
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool { hexDigits.contains(byte) }
    private static let hexDigits = Set("0123456789abcdefABCDEF".utf8)

    // MARK: Numbers, booleans, dates

    mutating func bareValue() throws(ConfigurationSyntaxError) -> ConfigurationNode.Value {
        let start = position
        while let byte = peek,
            Self.isBare(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: ":")
        {
            position += 1
        }
        let token = text(start..<position)
        if Self.isDate(token) {
            if peek == 0x20, let next = peek(1), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next) {
                position += 1
                while let byte = peek, Self.isBare(byte) || "+.:".utf8.contains(byte) { position += 1 }
            }
            return .date(text(start..<position))
        }
        if let value = Self.value(token) { return value }
        position = start
        guard !token.isEmpty else { throw error("a value was expected, such as 1, true or \"text\"") }
        if Double(token.filter { $0 != "_" }).map({ abs($0) > 9e18 }) == true {
            throw error("the integer is too large; it must fit into 64 bits")
        }
        throw error("'\(token.prefix(40))' is not a valid value; strings need quotes")
    }

    private static func isDate(_ token: String) -> Bool {
        let digits = token.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        let next = token.utf8.dropFirst(digits).first
        return digits == 4 && next == UInt8(ascii: "-") || digits == 2 && next == UInt8(ascii: ":")
    }

    private static func value(_ token: String) -> ConfigurationNode.Value? {
        switch token {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "inf", "+inf": return .number(.infinity)
        case "-inf": return .number(-.infinity)
        case "nan", "+nan", "-nan": return .number(.nan)
        default: break
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where token.hasPrefix(prefix) {
            let digits = token.dropFirst(2)
            guard let plain = withoutUnderscores(digits, isHexDigit), !plain.hasPrefix("+"), !plain.hasPrefix("-")
            else { return nil }
            return Int(plain, radix: radix).map { .integer($0) }
        }
        return decimal(token)
    }

    private static func decimal(_ token: String) -> ConfigurationNode.Value? {
        let isDigit: (UInt8) -> Bool = { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let plain = withoutUnderscores(token[...], isDigit) else { return nil }
        let unsigned = plain.first == "+" || plain.first == "-" ? plain.dropFirst() : plain[...]
        guard let first = unsigned.utf8.first, isDigit(first) else { return nil }
        let whole = unsigned.utf8.prefix(while: isDigit)
        guard whole.count == 1 || first != UInt8(ascii: "0") else { return nil }
        if whole.count == unsigned.utf8.count { return Int(plain).map { .integer($0) } }
        var rest = unsigned.utf8.dropFirst(whole.count)
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: isDigit)
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(1 + fraction.count)
        }
        if let mark = rest.first {
            guard mark | 0x20 == UInt8(ascii: "e") else { return nil }
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard !rest.isEmpty, rest.allSatisfy(isDigit) else { return nil }
        }
        return Double(plain).map { .number($0) }
    }

    /// The token without its underscores, each of which must stand between two digits.
    private static func withoutUnderscores(_ token: Substring, _ isDigit: (UInt8) -> Bool) -> String? {
        let bytes = Array(token.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "_") {
            guard index > 0, index + 1 < bytes.count, isDigit(bytes[index - 1]), isDigit(bytes[index + 1])
            else { return nil }
        }
        return String(decoding: bytes.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }
}

// What a person types at the prompt of a conversation: from keys and pasted text to a question and what the terminal shows.

/// The question in the making. It does no input and no output itself.
struct LineEditor {
    static let prompt = "> "
    private static let continuation = "\n. "
    private static let pasteBegins = Array("[200~".utf8)
    private static let pasteEnds = Array("[201~".utf8)

    enum Outcome: Equatable {
        /// The person is not done.
        case more
        case question(String)
        /// Ctrl-D where nothing was typed.
        case leave
    }

    /// What was typed so far.
    private(set) var text = ""
    private var pending: [UInt8] = []
    private var isPasting = false

    /// Takes what the terminal sent.
    mutating func receive(_ bytes: [UInt8]) { pending += bytes }

    /// Forgets what was typed.
    mutating func clear() {
        text = ""
        isPasting = false
    }

    /// Goes on until a question is complete or all that was received is used up. The rest stays for the next one.
    /// - Parameter columns: The width of the terminal.
    /// - Returns: What to do, and what the terminal must be sent, in which nothing of the person's is obeyed.
    mutating func advance(columns: Int) -> (outcome: Outcome, shown: String) {
        var shown = ""
        while let byte = pending.first {
            switch byte {
            case 0x1B:
                guard let used = escape(&shown) else { return (.more, shown) }
                pending.removeFirst(used)
                continue
            case 0x20...0x7E, 0x80...:
                guard let characters = takeCharacters() else { return (.more, shown) }
                insert(characters, &shown)
                continue
            default: pending.removeFirst()
            }
            if isPasting {
                pasted(byte, &shown)
            } else if let outcome = key(byte, &shown, columns: columns) {
                return (outcome, shown)
            }
        }
        return (.more, shown)
    }

    // MARK: Keys

    private mutating func key(_ byte: UInt8, _ shown: inout String, columns: Int) -> Outcome? {
        switch byte {
        case 0x0A, 0x0D:
            if text.last == "\\" {
                text.removeLast()
                shown += "\u{8} \u{8}"
                insert("\n", &shown)
                return nil
            }
            defer { text = "" }
            shown += "\n"
            return .question(text)
        case 0x04: return text.isEmpty ? .leave : nil
        case 0x09: insert("\t", &shown)
        case 0x08, 0x7F: keep(String(text.dropLast()), &shown, columns: columns)
        case 0x15: keep("", &shown, columns: columns)
        case 0x17: keep(Self.withoutLastWord(text), &shown, columns: columns)
        default: break
        }
        return nil
    }

    private mutating func pasted(_ byte: UInt8, _ shown: inout String) {
        if byte == 0x0D {
            if pending.first == 0x0A { pending.removeFirst() }
            return insert("\n", &shown)
        }
        insert(String(Unicode.Scalar(byte)), &shown)
    }

    /// Handles what begins with an escape character; nil if the rest has not come yet.
    /// - Returns: How many bytes it took.
    private mutating func escape(_ shown: inout String) -> Int? {
        let rest = pending.dropFirst()
        if isPasting {
            if rest.starts(with: Self.pasteEnds) {
                isPasting = false
                return 1 + Self.pasteEnds.count
            }
            if Self.pasteEnds.starts(with: rest) { return nil }
            insert("\u{1B}", &shown)
            return 1
        }
        guard let kind = rest.first else { return nil }
        // The escape key itself, or a key pressed with Alt.
        guard kind == UInt8(ascii: "[") || kind == UInt8(ascii: "O") else { return 1 }
        guard let end = rest.dropFirst().firstIndex(where: { !(0x20...0x3F).contains($0) }) else { return nil }
        if rest.starts(with: Self.pasteBegins) { isPasting = true }
        // Keys that move a cursor are passed over: there is none to move.
        return (0x40...0x7E).contains(pending[end]) ? end + 1 : end
    }

    /// Takes printable characters, as far as they have come whole; nil if the first one has not.
    private mutating func takeCharacters() -> String? {
        var count = 0
        while count < pending.count, pending[count] >= 0x20, pending[count] != 0x7F {
            let wanted = Self.length(of: pending[count]) - 1
            let found = pending[(count + 1)...].prefix(wanted).prefix { $0 & 0xC0 == 0x80 }.count
            let end = count + 1 + found
            if found < wanted, end == pending.count { break }
            count = end
        }
        guard count > 0 else { return nil }
        defer { pending.removeFirst(count) }
        return String(decoding: pending[..<count], as: UTF8.self)
    }

    private static func length(of lead: UInt8) -> Int {
        switch lead {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }

    // MARK: What is shown

    private mutating func insert(_ addition: String, _ shown: inout String) {
        text += addition
        shown += Self.display(addition)
    }

    /// Shortens the text to a beginning of it.
    private mutating func keep(_ beginning: String, _ shown: inout String, columns: Int) {
        guard beginning != text else { return }
        let old = TerminalLayout(after: Self.prompt + Self.display(text), columns: columns)
        let removed = Self.display(String(text.dropFirst(beginning.count)))
        text = beginning
        let width = TerminalLayout.width(of: removed)
        if !removed.contains(where: \.isNewline), width < old.column, old.column < columns {
            shown += String(repeating: "\u{8}", count: width) + "\u{1B}[K"
        } else {
            shown += "\r" + (old.row > 0 ? "\u{1B}[\(old.row)A" : "") + "\u{1B}[J" + Self.prompt + Self.display(text)
        }
    }

    private static func display(_ text: String) -> String {
        text.reduce(into: "") { shown, character in
            switch character {
            case "\n": shown += continuation
            case "\t": shown += "    "
            default: shown += TerminalText.escaped(String(character))
            }
        }
    }

    private static func withoutLastWord(_ text: String) -> String {
        var text = text[...]
        while text.last?.isWhitespace == true { text.removeLast() }
        while let last = text.last, !last.isWhitespace { text.removeLast() }
        return String(text)
    }
}

// Where the cursor of a terminal stands after a text: rows, columns, and how wide characters are.

/// A place relative to where the text began, counted from 0.
struct TerminalLayout: Equatable {
    var row = 0
    var column = 0

    /// The place after a text that begins at the left edge.
    /// - Parameter columns: The width of the terminal.
    init(after text: String, columns: Int) {
        for character in text {
            if character.isNewline {
                row += 1
                column = 0
                continue
            }
            let width = Self.width(of: character)
            // A terminal breaks the line before the character that has no room, not behind the last that has.
            if column + width > columns {
                row += 1
                column = 0
            }
            column += width
        }
    }

    /// How many columns a text without line breaks takes.
    static func width(of text: String) -> Int { text.reduce(0) { $0 + width(of: $1) } }

    private static func width(of character: Character) -> Int {
        character.unicodeScalars.reduce(0) { max($0, width(of: $1)) }
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        // What Unicode's East Asian Width calls wide or full width.
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}

// What a terminal may be shown of texts that others wrote: what would control it is shown as an escape instead.

enum TerminalText {
    /// The text with every control character but newline and tab, and every character that reverses the direction of
    /// writing, in the form that JSON has for them: `\u001b`. So a terminal shows what is there and obeys nothing.
    static func escaped(_ text: String) -> String {
        // Most of what models write is plain ASCII.
        if text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0x0A || $0 == 0x09 }) { return text }
        let scalars = text.unicodeScalars
        var shown = ""
        for index in scalars.indices {
            let scalar = scalars[index]
            let next = scalars.index(after: index)
            let endsLine = scalar == "\r" && next < scalars.endIndex && scalars[next] == "\n"
            if controls(scalar), !endsLine {
                let digits = String(scalar.value, radix: 16)
                shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    private static func controls(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        case 0...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

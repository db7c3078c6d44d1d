// Which words of an upstream's error may be shown to a client, and in which form.

import GatewayWire

/// The one place that an upstream's words pass on their way to a client: bounded, without control characters, without
/// addresses of the inside, without stack traces, and never HTML.
package enum UpstreamErrorText {
    /// The longest message in bytes.
    package static let longestMessage = 4096
    /// The longest code, type or field in bytes.
    package static let longestName = 256
    /// How many lines of a plain text are a message.
    private static let mostLines = 3
    /// The longest plain text in bytes that is taken for a message; what is longer is a page or a dump.
    private static let longestPlainText = 1024

    /// A message as it may be shown; nil if nothing of it may.
    package static func message(_ text: String) -> String? {
        presentable(text, limit: longestMessage)
    }

    /// A code, a type or the path of a field as it may be shown.
    package static func name(_ text: String) -> String? {
        presentable(text, limit: longestName)
    }

    /// The first lines of a body that is plain text; nil for HTML, for XML and for what is not text at all.
    package static func message(ofPlainText body: [UInt8]) -> String? {
        let start = body.prefix(64 << 10)
        guard let first = start.first(where: { $0 > 0x20 }), first != UInt8(ascii: "<") else { return nil }
        guard first != UInt8(ascii: "{"), first != UInt8(ascii: "[") else { return nil }
        guard !start.contains(where: { $0 < 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }),
            let text = String(validating: start, as: UTF8.self)
        else { return nil }
        let lines = text.split(whereSeparator: \.isNewline).prefix(mostLines)
        return presentable(lines.joined(separator: "\n"), limit: longestPlainText)
    }

    private static func presentable(_ text: String, limit: Int) -> String? {
        var text = bounded(text, limit: limit)
        if text.utf8.contains(UInt8(ascii: "<")) {
            let lowercased = text.lowercased()
            guard !lowercased.contains("<html"), !lowercased.contains("<!doctype") else { return nil }
        }
        if let trace = text.firstRange(of: "Traceback (most recent call last)") {
            text = String(text[..<trace.lowerBound])
        }
        text = maskingAddresses(cleaned(text))
        return text.isEmpty ? nil : text
    }

    /// At most so many bytes, cut between two characters.
    private static func bounded(_ text: String, limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        return text.withBytes { bytes in
            let end = UTF8Boundary.prefixCount(of: bytes, limit: limit)
            return String(decoding: bytes.clamped(to: 0..<end), as: UTF8.self) + "…"
        }
    }

    /// Without control characters, which a terminal would obey, and without white space around it.
    private static func cleaned(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isControl(scalar), scalar != "\n", scalar != "\t" {
                if scalars.last != " " { scalars.append(" ") }
            } else {
                scalars.append(scalar)
            }
        }
        let text = String(scalars)
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(text[first...last])
    }

    /// Control characters, line separators, and what turns the direction of a text.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

// MARK: - Addresses

extension UpstreamErrorText {
    private static let mask = "[address]"

    /// Hides where servers are: addresses of IP, `localhost`, and URLs other than links to public pages.
    private static func maskingAddresses(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: ".")) || text.utf8.contains(UInt8(ascii: ":")) else { return text }
        return
            text
            .replacing(#/[A-Za-z][A-Za-z0-9+.\-]*:\/\/[^\s"'<>`|\\)\]}]+/#) { match in
                isPublicPage(match.output) ? String(match.output) : mask
            }
            .replacing(#/(?:\b\d{1,3}(?:\.\d{1,3}){3}\b|\blocalhost\b)(?::\d{1,5})?/#, with: mask)
            .replacing(#/\[[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*\](?::\d{1,5})?/#, with: mask)
    }

    /// Whether a URL is a link that a reader can follow, such as one to a provider's documentation.
    private static func isPublicPage(_ url: Substring) -> Bool {
        guard let url = try? AbsoluteURL(url), url.isHTTP, url.userInfo == nil, url.authority.portText == nil else {
            return false
        }
        let labels = url.authority.host.lowercased().split(separator: ".")
        guard labels.count > 1, let last = labels.last, Int(last) == nil else { return false }
        return !["local", "localhost", "internal", "lan", "corp", "home", "intranet", "svc", "cluster"].contains(last)
    }
}

// The HTTP requests that are sent, built once.

/// Requests that differ in the beginning of their prompts, so that policies which look at prefixes have some to tell.
struct RequestMessages {
    private let messages: [[UInt8]]

    /// `extra` is appended to the JSON object: stream options.
    init(options: LoadOptions, extra: String) {
        messages = (0..<options.prompts).map { number in
            let body =
                "{\"model\":\"\(options.model)\",\"messages\":[{\"role\":\"user\",\"content\":"
                + "\"\(Self.prompt(number, bytes: options.promptBytes))\"}]\(extra)}"
            return Array(
                ("POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                    + "content-length: \(body.utf8.count)\r\n\r\n\(body)").utf8
            )
        }
    }

    subscript(turn: Int) -> [UInt8] { messages[turn % messages.count] }

    private static func prompt(_ number: Int, bytes: Int) -> String {
        let words = ["alpha", "river", "stone", "cloud", "ember", "maple", "orbit", "piano"]
        var text = "Case \(number): "
        var turn = UInt32(number)
        while text.utf8.count < bytes {
            text += words[Int(turn >> 16) % words.count] + " "
            turn = turn &* 1_664_525 &+ 1_013_904_223
        }
        return String(text.prefix(bytes))
    }
}

// A conversation as the text that the model was trained to continue: its own chat template, or ChatML.

#if LlamaCpp

import CLlama
import ModelGateway

/// A part of a prompt, by who wrote it: only the template may speak in the model's control tokens.
enum PromptPiece: Hashable, Sendable {
    /// Written by the chat template.
    case template(String)
    /// Said by a message, or given to be embedded.
    case text(String)
}

/// Renders conversations with the template of one model.
struct ChatPrompt {
    private let template: String

    /// - Parameter template: The model's own template. llama.cpp recognises the usual families by their markers; ChatML
    ///   stands in for the others.
    init(template: String?) {
        if let template, Self.render([("user", "x")], template: template) != nil {
            self.template = template
        } else {
            self.template = "chatml"
        }
    }

    /// What the template writes around messages of every role, to learn which markers it uses.
    var markup: [String] {
        let turns = ["system", "user", "assistant", "user"].map { (role: $0, text: "x") }
        let pieces = Self.pieces(turns, template: template) ?? []
        return pieces.compactMap { if case .template(let text) = $0 { text } else { nil } }
    }

    /// The prompt for the next assistant turn.
    /// - Throws: ``GatewayError/Code/unsupported`` for what a text model cannot take, naming the field.
    func pieces(for request: ChatRequest) throws(GatewayError) -> [PromptPiece] {
        try checkSupport(request)
        guard !request.messages.isEmpty else {
            throw GatewayError(.invalidRequest, "There are no messages; send at least one.", param: "messages")
        }
        var turns: [(role: String, text: String)] = []
        for (index, message) in request.messages.enumerated() {
            turns.append((try role(of: message, at: index), try text(of: message, at: index)))
        }
        guard let pieces = Self.pieces(turns, template: template) else {
            throw GatewayError(.invalidRequest, "The model's chat template cannot express these messages.")
        }
        return pieces
    }

    private func checkSupport(_ request: ChatRequest) throws(GatewayError) {
        if !request.tools.isEmpty, request.toolChoice != ToolChoice.none {
            throw unsupported("tools: it answers with text only; leave out \"tools\" or choose another model", "tools")
        }
        switch request.responseFormat {
        case nil, .text: break
        case .jsonObject, .jsonSchema:
            throw unsupported("structured answers; ask for free text or choose another model", "response_format")
        }
        for member in request.extra where ["logprobs", "top_logprobs"].contains(member.name) {
            if member.value == .null || member.value == .bool(false) || member.value.int == 0 { continue }
            throw unsupported("log probabilities; leave out \"\(member.name)\"", member.name)
        }
    }

    private func role(of message: ChatMessage, at index: Int) throws(GatewayError) -> String {
        switch message.role {
        case .system, .developer: return "system"
        case .user: return "user"
        case .assistant where message.toolCalls.isEmpty: return "assistant"
        case .assistant, .tool:
            throw unsupported("tool calls in a conversation", "messages[\(index)]")
        default:
            throw GatewayError(
                .invalidRequest,
                "The role \"\(message.role.rawValue)\" is unknown; use system, user or assistant.",
                param: "messages[\(index)].role"
            )
        }
    }

    private func text(of message: ChatMessage, at index: Int) throws(GatewayError) -> String {
        var text = ""
        for part in message.content {
            switch part {
            case .image: throw unsupported("images", "messages[\(index)].content")
            case .text, .other:
                guard let piece = part.text else {
                    throw unsupported("content other than text", "messages[\(index)].content")
                }
                text += piece
            }
        }
        // The template function takes C strings, which a NUL would cut short.
        guard !text.utf8.contains(0) else {
            throw GatewayError(
                .invalidRequest,
                "The text contains a NUL character (U+0000); remove it.",
                param: "messages[\(index)].content"
            )
        }
        return text
    }

    private func unsupported(_ what: String, _ param: String) -> GatewayError {
        GatewayError(.unsupported, "The local model does not support \(what).", param: param)
    }

    /// The rendered turns in pieces. Nil if llama.cpp does not know the template.
    ///
    /// The template is applied to placeholders, in whose places the texts are then put: so no text can be taken for the
    /// template's own, whatever it says. The vertical tabs around a placeholder tell whether the template trims there.
    static func pieces(_ turns: [(role: String, text: String)], template: String) -> [PromptPiece]? {
        let texts = turns.map { Array($0.text.utf8) }
        var marked = turns
        // Templates ask whether a text is empty, so one without visible characters stays itself.
        for (index, text) in texts.enumerated() where !text.allSatisfy(isSpace) {
            marked[index].text = "\u{0B}\u{01}\(index)\u{02}\u{0B}"
        }
        guard let skeleton = render(marked, template: template).map({ Array($0.utf8) }) else { return nil }
        var pieces: [PromptPiece] = []
        func add(_ bytes: some Collection<UInt8>, _ make: (String) -> PromptPiece) {
            if !bytes.isEmpty { pieces.append(make(String(decoding: bytes, as: UTF8.self))) }
        }
        var rest = skeleton[...]
        while let start = rest.firstIndex(of: 0x01), let end = rest[start...].firstIndex(of: 0x02) {
            guard let index = Int(String(decoding: rest[(start + 1)..<end], as: UTF8.self)), texts.indices ~= index
            else { return nil }
            var before = rest[..<start]
            let isTrimmed = before.last != 0x0B
            if !isTrimmed { before.removeLast() }
            add(before, PromptPiece.template)
            add(isTrimmed ? trimmed(texts[index]) : texts[index][...], PromptPiece.text)
            rest = rest[(end + (isTrimmed ? 1 : 2))...]
        }
        add(rest, PromptPiece.template)
        return pieces
    }

    /// As the `isspace` of C, which llama.cpp's templates trim by.
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func trimmed(_ text: [UInt8]) -> ArraySlice<UInt8> {
        guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return text[first...last]
    }

    /// Nil if llama.cpp does not know the template.
    static func render(_ turns: [(role: String, text: String)], template: String) -> String? {
        // All strings one after another in one buffer, each ended by a NUL, so that no pointer outlives its owner.
        var bytes: [CChar] = []
        var offsets: [(Int, Int)] = []
        for turn in turns {
            let role = bytes.count
            bytes.append(contentsOf: turn.role.utf8CString)
            offsets.append((role, bytes.count))
            bytes.append(contentsOf: turn.text.utf8CString)
        }
        return bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let messages = offsets.map { llama_chat_message(role: base + $0.0, content: base + $0.1) }
            var output = [CChar](repeating: 0, count: bytes.count * 2 + 512)
            for _ in 0..<2 {
                let count = llama_chat_apply_template(
                    template,
                    messages,
                    messages.count,
                    true,
                    &output,
                    Int32(clamping: output.count)
                )
                guard count >= 0 else { return nil }
                if count <= output.count {
                    return output[..<Int(count)].withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                }
                output = [CChar](repeating: 0, count: Int(count) + 1)
            }
            return nil
        }
    }
}

#endif

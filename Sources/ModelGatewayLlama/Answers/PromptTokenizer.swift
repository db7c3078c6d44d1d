// From the pieces of a prompt to tokens: markers are read in what the template writes, never in what a message says.

#if LlamaCpp

import CLlama
import ModelGateway

/// Turns prompts into tokens for one model and its chat template.
///
/// A template speaks in control tokens: `<|im_start|>`, `<|im_end|>` and their like tell the model who says what. The
/// same letters in a message are text, or its author could speak as somebody else.
struct PromptTokenizer: Sendable {
    /// A token that stands for a marker in text.
    struct Marker: Sendable, Hashable {
        var token: Int32
        var text: [UInt8]
        /// How many bytes its first character has.
        var firstCharacter: Int
        /// Whether white space before or after it is dropped, as some vocabularies have it.
        var stripsLeft: Bool
        var stripsRight: Bool
    }

    /// A stretch of a prompt: a marker, or text that is tokenized for itself.
    enum Run: Hashable {
        case marker(Marker)
        case text([UInt8])
    }

    private let model: LlamaModel
    /// All markers of the vocabulary, the longest first.
    private let markers: [Marker]
    /// Markers that llama.cpp takes for plain words of the vocabulary, and which the template uses.
    private let plainMarkers: [Marker]
    /// What no text may become.
    private let reserved: Set<Int32>
    /// The tokens that the vocabulary asks for at the beginning and at the end.
    private let frame: (start: [Int32], end: [Int32])

    init(model: LlamaModel, prompts: ChatPrompt) {
        self.model = model
        var markers: [Marker] = []
        var plain: Set<Int32> = []
        var reserved: Set<Int32> = []
        for token in 0..<Int32(model.vocabularySize) {
            let kinds = llama_vocab_get_attr(model.vocabulary, token).rawValue
            let isPlain = kinds & LLAMA_TOKEN_ATTR_USER_DEFINED.rawValue != 0
            let isControl = kinds & LLAMA_TOKEN_ATTR_CONTROL.rawValue != 0
            guard isPlain || isControl || kinds & LLAMA_TOKEN_ATTR_UNKNOWN.rawValue != 0,
                let text = llama_vocab_get_text(model.vocabulary, token).map({ String(cString: $0) }),
                let first = text.unicodeScalars.first, text.utf8.contains(where: { $0 > 0x20 })
            else { continue }
            markers.append(
                Marker(
                    token: token,
                    text: Array(text.utf8),
                    firstCharacter: UTF8.width(first),
                    stripsLeft: kinds & LLAMA_TOKEN_ATTR_LSTRIP.rawValue != 0,
                    stripsRight: kinds & LLAMA_TOKEN_ATTR_RSTRIP.rawValue != 0
                )
            )
            if isPlain { plain.insert(token) }
            if isControl { reserved.insert(token) }
        }
        markers.sort { $0.text.count > $1.text.count }
        var plainMarkers: [Int32: Marker] = [:]
        for text in prompts.markup {
            for case .marker(let marker) in Self.runs(of: Array(text.utf8), markers: markers)
            where plain.contains(marker.token) { plainMarkers[marker.token] = marker }
        }
        self.markers = markers
        self.plainMarkers = plainMarkers.values.sorted { $0.text.count > $1.text.count }
        self.reserved = reserved.union(plainMarkers.keys)
        frame = Self.frame(of: model)
    }

    private static func frame(of model: LlamaModel) -> (start: [Int32], end: [Int32]) {
        let framed = model.tokens(of: "a", addsSpecial: true, parsesMarkers: false)
        let bare = model.tokens(of: "a", addsSpecial: false, parsesMarkers: false)
        for start in 0..<max(1, framed.count - bare.count + 1) where framed[start...].starts(with: bare) {
            return (Array(framed[..<start]), Array(framed[(start + bare.count)...]))
        }
        return ([], [])
    }

    // MARK: Prompts

    /// The tokens of a prompt in pieces.
    /// - Parameters:
    ///   - limit: How many tokens the caller can use; a prompt that is sure to have more is not read to its end.
    ///   - param: The field of the request that the prompt came in, for the error.
    func tokens(of pieces: [PromptPiece], limit: Int, param: String) throws(GatewayError) -> [Int32] {
        let bytes = pieces.reduce(0) { count, piece in
            switch piece {
            case .template(let text), .text(let text): count + text.utf8.count
            }
        }
        try model.checkLength(bytes: bytes, limit: limit, param: param)
        var tokens = frame.start
        for run in Self.stripped(runs(of: pieces)) {
            switch run {
            case .marker(let marker): tokens.append(marker.token)
            case .text(let text): tokens += plainTokens(of: text)
            }
        }
        return tokens + frame.end
    }

    /// The tokens of text in which markers count, as the caller of a raw completion wants it.
    func rawTokens(of text: String, limit: Int, param: String) throws(GatewayError) -> [Int32] {
        try model.checkLength(bytes: text.utf8.count, limit: limit, param: param)
        return model.tokens(of: text, addsSpecial: true, parsesMarkers: true)
    }

    // MARK: Runs

    private func runs(of pieces: [PromptPiece]) -> [Run] {
        var known: [String: [Run]] = [:]
        var runs: [Run] = []
        for piece in pieces {
            let added: [Run]
            switch piece {
            case .template(let text):
                // Templates write the same few pieces again and again.
                added = known[text] ?? Self.runs(of: Array(text.utf8), markers: markers)
                known[text] = added
            case .text(let text):
                added = Self.broken(Array(text.utf8), at: plainMarkers)
            }
            var rest = added[...]
            // Text goes on across the border of two pieces: a word of the vocabulary may lie across it.
            if case .text(let left)? = runs.last, case .text(let right)? = rest.first {
                runs[runs.count - 1] = .text(left + right)
                rest.removeFirst()
            }
            runs += rest
        }
        return runs
    }

    /// Finds markers as llama.cpp does: the longest ones first, each from left to right in what is not taken yet.
    static func runs(of text: [UInt8], markers: [Marker]) -> [Run] {
        var runs: [Run] = text.isEmpty ? [] : [.text(text)]
        for marker in markers where text.count >= marker.text.count {
            var next: [Run] = []
            for run in runs {
                guard case .text(let text) = run else {
                    next.append(run)
                    continue
                }
                var rest = text[...]
                while let start = position(of: marker.text, in: rest) {
                    if start > rest.startIndex { next.append(.text(Array(rest[..<start]))) }
                    next.append(.marker(marker))
                    rest = rest[(start + marker.text.count)...]
                }
                if !rest.isEmpty { next.append(.text(Array(rest))) }
            }
            runs = next
        }
        return runs
    }

    /// Cuts a text within each marker that is in it, so that the tokenizer does not find them.
    static func broken(_ text: [UInt8], at markers: [Marker]) -> [Run] {
        var parts = [text]
        for marker in markers {
            var next: [[UInt8]] = []
            for part in parts {
                var rest = part[...]
                while let start = position(of: marker.text, in: rest) {
                    let cut = start + marker.firstCharacter
                    next.append(Array(rest[..<cut]))
                    rest = rest[cut...]
                }
                next.append(Array(rest))
            }
            parts = next
        }
        return parts.filter { !$0.isEmpty }.map(Run.text)
    }

    private static func position(of needle: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard let first = needle.first else { return nil }
        var from = text.startIndex
        while let start = text[from...].firstIndex(of: first) {
            if text[start...].starts(with: needle) { return start }
            from = start + 1
        }
        return nil
    }

    /// Drops the white space beside markers that ask for it.
    static func stripped(_ runs: [Run]) -> [Run] {
        var runs = runs
        for (index, run) in runs.enumerated() {
            guard case .marker(let marker) = run else { continue }
            if marker.stripsLeft, index > 0, case .text(var text) = runs[index - 1] {
                while let last = text.last, ChatPrompt.isSpace(last) { text.removeLast() }
                runs[index - 1] = .text(text)
            }
            if marker.stripsRight, index + 1 < runs.count, case .text(let text) = runs[index + 1] {
                runs[index + 1] = .text(Array(text.drop(while: ChatPrompt.isSpace)))
            }
        }
        return runs
    }

    /// The tokens of text that may say anything: none of them is a marker's.
    private func plainTokens(of text: [UInt8]) -> [Int32] {
        guard !text.isEmpty else { return [] }
        let string = String(decoding: text, as: UTF8.self)
        let tokens = model.tokens(of: string, addsSpecial: false, parsesMarkers: false)
        guard let wrong = tokens.first(where: reserved.contains) else { return tokens }
        // A vocabulary whose letters grow together into a marker: cut there, and leave out what still becomes one.
        guard let marker = markers.first(where: { $0.token == wrong }),
            case let parts = Self.broken(text, at: [marker]), parts.count > 1
        else { return tokens.filter { !reserved.contains($0) } }
        return parts.flatMap { part -> [Int32] in
            if case .text(let text) = part { plainTokens(of: text) } else { [] }
        }
    }
}

#endif

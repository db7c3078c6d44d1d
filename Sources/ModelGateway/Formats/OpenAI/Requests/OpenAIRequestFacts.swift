// What the gateway must know of an OpenAI-shaped request, found in its bytes in one pass and without copies.

package import GatewayWire

/// The places in a request body that routing and pass-through need.
package struct OpenAIRequestFacts: CallFacts {
    /// The public name of the model.
    package var model = ""
    /// Where the model's name is in the body.
    package var modelSlice: JSONSlice?
    /// Where the body's object begins.
    package var objectStart = 0
    /// Whether the answer is to be streamed.
    package var isStreamed = false
    /// The `stream_options` object, if there is one.
    package var streamOptions: JSONSlice?
    /// Whether the client asked for a usage chunk.
    package var wantsStreamUsage = false
    /// Where the client said so, or denied it.
    package var includeUsageSlice: JSONSlice?

    /// The members that were there already, one bit for each.
    private var seen: UInt16 = 0
    /// What is wrong with a member that another reader of JSON would find elsewhere.
    private var ambiguity: GatewayError?
    private var tools: JSONSlice?
    private var messages: JSONSlice?
    private var prompt: JSONSlice?
    private var input: JSONSlice?
    private var promptCacheKey: JSONSlice?
    private var safetyIdentifier: JSONSlice?
    private var user: JSONSlice?
    private var metadata: JSONSlice?

    /// Finds the facts and checks the whole body's grammar.
    /// - Throws: ``GatewayError/Code/invalidRequest`` for a body that is not a JSON object, that names no model, or
    ///   in which a member that decides about the call has two places, so that two readers could see two requests.
    package init(_ body: [UInt8]) throws(GatewayError) {
        do {
            try body.withBytes { bytes throws(JSONError) in try scan(bytes) }
        } catch {
            let reason = body.isEmpty ? "it is empty" : error.description
            throw GatewayError(.invalidRequest, "The body is not a valid JSON object: \(reason).")
        }
        if let ambiguity { throw ambiguity }
        guard let modelSlice, modelSlice.kind != .null else {
            throw GatewayError(.invalidRequest, "Missing required parameter: 'model'.", param: "model")
        }
        guard modelSlice.kind == .string, !model.isEmpty else {
            throw GatewayError(.invalidRequest, "'model' must be a non-empty string.", param: "model")
        }
    }

    private mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var scanner = JSONScanner(bytes)
        _ = try scanner.peekKind()
        objectStart = scanner.position
        try scanner.beginObject()
        while let key = try scanner.nextMember() {
            let value = try scanner.nextValue()
            if key.isEscaped {
                var name: [UInt8] = []
                key.appendString(in: bytes, to: &name)
                name.withBytes { take(value, of: $0, in: bytes) }
            } else {
                take(value, of: bytes.clamped(to: key.contents), in: bytes)
            }
        }
        try scanner.finish()
        if let streamOptions, streamOptions.kind == .object {
            let options = try JSONIndex(of: streamOptions, in: bytes)
            let places = options.members.filter { $0.key.equals("include_usage", in: bytes) }
            if places.count > 1 { ambiguity = .repeated("stream_options.include_usage") }
            includeUsageSlice = places.last?.value
            wantsStreamUsage = includeUsageSlice?.bool ?? false
        }
    }

    private mutating func take(_ value: JSONSlice, of key: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) {
        if key.equals("model") {
            note(0, "model")
            modelSlice = value
            model = value.string(in: bytes) ?? ""
        } else if key.equals("messages") {
            note(1, "messages")
            messages = value
        } else if key.equals("stream") {
            note(2, "stream")
            isStreamed = value.bool ?? false
        } else if key.equals("stream_options") {
            note(3, "stream_options")
            streamOptions = value
        } else if key.equals("tools") {
            note(4, "tools")
            tools = value
        } else if key.equals("prompt") {
            note(5, "prompt")
            prompt = value
        } else if key.equals("input") {
            note(6, "input")
            input = value
        } else if key.equals("user") {
            note(7, "user")
            user = value
        } else if key.equals("metadata") {
            note(8, "metadata")
            metadata = value
        } else if key.equals("prompt_cache_key") {
            note(9, "prompt_cache_key")
            promptCacheKey = value
        } else if key.equals("safety_identifier") {
            note(10, "safety_identifier")
            safetyIdentifier = value
        } else {
            checkSpelling(of: key)
        }
    }

    private mutating func note(_ number: UInt16, _ name: String) {
        let bit: UInt16 = 1 << number
        if seen & bit != 0, ambiguity == nil { ambiguity = .repeated(name) }
        seen |= bit
    }

    /// Some servers read keys in any case, so that `Model` would win over the `model` that was routed by.
    private mutating func checkSpelling(of key: UnsafeRawBufferPointer) {
        for name in Self.decisive where key.count == name.utf8CodeUnitCount && ambiguity == nil {
            if key.equalsIgnoringCase(name) {
                ambiguity = GatewayError(
                    .invalidRequest,
                    "'\(String(decoding: key, as: UTF8.self))' must be spelled '\(name)': some servers read it as that.",
                    param: "\(name)"
                )
            }
        }
    }

    /// The members that decide what is called and how its answer comes.
    private static let decisive: [StaticString] = ["model", "stream", "stream_options"]

    private static func member(
        _ name: StaticString,
        of object: JSONSlice,
        in bytes: UnsafeRawBufferPointer
    ) -> JSONSlice? {
        var scanner = JSONScanner(bytes, range: object.range)
        var found: JSONSlice?
        do {
            try scanner.beginObject()
            while let key = try scanner.nextMember() {
                let value = try scanner.nextValue()
                if key.equals(name, in: bytes) { found = value }
            }
        } catch {
            return nil  // Not an object: the grammar was checked before.
        }
        return found
    }
}

// MARK: - Routing inputs

extension OpenAIRequestFacts {
    /// The key that keeps a session's calls together, from the first field that has one.
    package func sessionKey(in body: [UInt8]) -> String? {
        body.withBytes { bytes in
            let session = metadata.flatMap { Self.member("session_id", of: $0, in: bytes) }
            for slice in [promptCacheKey, session, safetyIdentifier, user] {
                guard let slice, slice.kind == .string, !slice.contents.isEmpty else { continue }
                return slice.string(in: bytes)
            }
            return nil
        }
    }

    /// The tags in `metadata.tags`: an array of strings, or one string with commas.
    package func tags(in body: [UInt8]) -> [String] {
        guard let metadata else { return [] }
        return body.withBytes { bytes in
            guard let tags = Self.member("tags", of: metadata, in: bytes) else { return [] }
            if let text = tags.string(in: bytes) { return HTTPList.values(text) }
            return (try? JSONValue(parsing: Array(tags.raw(in: bytes))))?.array?.compactMap(\.string) ?? []
        }
    }

    /// Whether the request asks for the vectors of nothing, which an empty answer is right for.
    package func asksForNothing(in body: [UInt8]) -> Bool {
        guard let input, input.kind == .array else { return false }
        return (try? JSONValue(parsing: body.withBytes { Array(input.raw(in: $0)) }))?.array?.isEmpty == true
    }

    /// The prompt as UTF-8 in the order in which a chat template places it: tools, then the turns with their roles.
    /// - Parameter limit: As many bytes as are needed.
    package func routingText(in body: [UInt8], limit: Int = 64 << 10) -> [UInt8] {
        body.withBytes { bytes in
            var text: [UInt8] = []
            if let tools, tools.kind == .array { text.append(contentsOf: tools.raw(in: bytes).prefix(limit)) }
            if let messages { Self.appendTurns(messages, in: bytes, limit: limit, to: &text) }
            for slice in [prompt, input] where text.count < limit {
                if let slice { Self.appendText(slice, in: bytes, limit: limit, to: &text) }
            }
            if text.count > limit { text.removeLast(text.count - limit) }
            return text
        }
    }

    private static func appendTurns(
        _ messages: JSONSlice,
        in bytes: UnsafeRawBufferPointer,
        limit: Int,
        to text: inout [UInt8]
    ) {
        var scanner = JSONScanner(bytes, range: messages.range)
        do {
            try scanner.beginArray()
            while try text.count < limit && scanner.nextElement() {
                var role: JSONSlice?
                var content: JSONSlice?
                var calls: JSONSlice?
                try scanner.beginObject()
                while let key = try scanner.nextMember() {
                    let value = try scanner.nextValue()
                    if key.equals("role", in: bytes) { role = value }
                    if key.equals("content", in: bytes) { content = value }
                    if key.equals("tool_calls", in: bytes) { calls = value }
                }
                text.append(UInt8(ascii: "\n"))
                role?.appendString(in: bytes, to: &text)
                text.append(UInt8(ascii: "\n"))
                if let content { appendText(content, in: bytes, limit: limit, to: &text) }
                if let calls, calls.kind == .array { text.append(contentsOf: calls.raw(in: bytes)) }
            }
        } catch {
            return  // A shape that is not a conversation: what was found so far is enough to route by.
        }
    }

    /// A string as its characters, parts as the text in them, anything else as it is written.
    private static func appendText(
        _ slice: JSONSlice,
        in bytes: UnsafeRawBufferPointer,
        limit: Int,
        to text: inout [UInt8]
    ) {
        switch slice.kind {
        case .string: slice.appendString(in: bytes, to: &text)
        case .array:
            var scanner = JSONScanner(bytes, range: slice.range)
            do {
                try scanner.beginArray()
                while try text.count < limit && scanner.nextElement() {
                    let element = try scanner.nextValue()
                    if let part = member("text", of: element, in: bytes), part.kind == .string {
                        part.appendString(in: bytes, to: &text)
                    } else {
                        appendText(element, in: bytes, limit: limit, to: &text)
                    }
                }
            } catch {
                return  // Unreachable: the grammar was checked before.
            }
        case .null: break
        default: text.append(contentsOf: slice.raw(in: bytes))
        }
    }
}

extension GatewayError {
    /// A member that is there more than once: readers of JSON differ in which one counts.
    fileprivate static func repeated(_ name: String) -> GatewayError {
        GatewayError(
            .invalidRequest,
            "'\(name)' is given more than once, and servers differ in which one counts; send it once.",
            param: name
        )
    }
}

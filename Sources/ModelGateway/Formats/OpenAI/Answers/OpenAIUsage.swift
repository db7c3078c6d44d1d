// Token usage in OpenAI's format.

import GatewayWire

extension Usage {
    /// Reads a `usage` object; nil if it is null or holds no counts.
    package init?(openAI json: JSONValue) {
        guard let prompt = json["prompt_tokens"]?.int ?? json["total_tokens"]?.int else { return nil }
        self.init(
            promptTokens: prompt,
            completionTokens: json["completion_tokens"]?.int ?? 0,
            cachedPromptTokens: json["prompt_tokens_details"]?["cached_tokens"]?.int ?? 0,
            reasoningTokens: json["completion_tokens_details"]?["reasoning_tokens"]?.int ?? 0
        )
        extra = Self.extra(of: json, total: totalTokens)
    }

    /// The counts that have no place of their own; those inside the details stand in a member of the details' name.
    private static func extra(of json: JSONValue, total: Int) -> [JSONMember] {
        var members: [JSONMember] = []
        for member in json.object ?? [] where member.value != .null {
            switch member.name {
            case "prompt_tokens", "completion_tokens": break
            case "total_tokens": if member.value.int != total { members.append(member) }
            case "prompt_tokens_details", "completion_tokens_details":
                let details = (member.value.object ?? []).beside(["cached_tokens", "reasoning_tokens"])
                if !details.isEmpty { members.append(JSONMember(member.name, .object(details))) }
            default: members.append(member)
            }
        }
        return members
    }

    /// Reads the counts of a `usage` object where it is in a response, without ``extra``; nil if it is null or holds no
    /// counts. Of a member that is there twice the last one counts.
    init?(openAI object: JSONSlice, in bytes: UnsafeRawBufferPointer) {
        var counts = Counts()
        guard object.kind == .object, (try? counts.scan(object, in: bytes)) != nil else { return nil }
        guard let prompt = counts.prompt ?? counts.total else { return nil }
        self.init(
            promptTokens: prompt,
            completionTokens: counts.completion ?? 0,
            cachedPromptTokens: counts.cached ?? 0,
            reasoningTokens: counts.reasoning ?? 0
        )
    }

    /// The numbers of a `usage` object, found in one pass.
    private struct Counts {
        var prompt: Int?
        var completion: Int?
        var total: Int?
        var cached: Int?
        var reasoning: Int?

        mutating func scan(_ object: JSONSlice, in bytes: UnsafeRawBufferPointer) throws(JSONError) {
            var scanner = JSONScanner(bytes, range: object.range)
            try scanner.beginObject()
            while let key = try scanner.nextMember() {
                let value = try scanner.nextValue()
                if key.equals("prompt_tokens", in: bytes) {
                    prompt = value.int(in: bytes)
                } else if key.equals("completion_tokens", in: bytes) {
                    completion = value.int(in: bytes)
                } else if key.equals("total_tokens", in: bytes) {
                    total = value.int(in: bytes)
                } else if key.equals("prompt_tokens_details", in: bytes) {
                    cached = try Self.count("cached_tokens", of: value, in: bytes)
                } else if key.equals("completion_tokens_details", in: bytes) {
                    reasoning = try Self.count("reasoning_tokens", of: value, in: bytes)
                }
            }
        }

        private static func count(
            _ name: StaticString,
            of object: JSONSlice,
            in bytes: UnsafeRawBufferPointer
        ) throws(JSONError) -> Int? {
            guard object.kind == .object else { return nil }
            var count: Int?
            var scanner = JSONScanner(bytes, range: object.range)
            try scanner.beginObject()
            while let key = try scanner.nextMember() {
                let value = try scanner.nextValue()
                if key.equals(name, in: bytes) { count = value.int(in: bytes) }
            }
            return count
        }
    }

    /// The `usage` object.
    package var openAI: JSONValue {
        var members = [
            JSONMember("prompt_tokens", .number(JSONNumber(promptTokens))),
            JSONMember("completion_tokens", .number(JSONNumber(completionTokens))),
            JSONMember("total_tokens", .number(JSONNumber(totalTokens))),
        ]
        if cachedPromptTokens > 0 {
            members.append("prompt_tokens_details", ["cached_tokens": .number(JSONNumber(cachedPromptTokens))])
        }
        if reasoningTokens > 0 {
            members.append("completion_tokens_details", ["reasoning_tokens": .number(JSONNumber(reasoningTokens))])
        }
        members.merge(extra, by: .joinLists)
        return .object(members)
    }
}

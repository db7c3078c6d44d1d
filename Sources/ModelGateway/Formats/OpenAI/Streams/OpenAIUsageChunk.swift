// Taking the usage out of a chunk of a stream whose client did not ask for it.

import GatewayWire

/// A chunk of a stream that carries usage.
enum OpenAIUsageChunk {
    /// Members that every chunk of a stream may have, and that say nothing by themselves.
    private static let envelope: [StaticString] = [
        "usage", "id", "object", "created", "model", "system_fingerprint", "service_tier", "provider", "obfuscation",
    ]

    /// The chunk without its usage, all other bytes as they came; nil if nothing else is in it.
    static func withoutUsage(_ chunk: [UInt8]) -> [UInt8]? {
        guard let document = try? JSONDocument(chunk) else { return chunk }
        let isUsageOnly = chunk.withBytes { bytes in
            document.index.members.allSatisfy { member in
                member.value.isEmptyJSON || envelope.contains { member.key.equals($0, in: bytes) }
                    || member.key.equals("choices", in: bytes) && isEmpty(member.value, of: document)
            }
        }
        guard !isUsageOnly else { return nil }
        var splicer = JSONSplicer(document)
        splicer.remove("usage")
        return splicer.bytes()
    }

    /// Whether a value is a list without elements.
    private static func isEmpty(_ list: JSONSlice, of document: JSONDocument) -> Bool {
        let hasElement = try? document.scan(list) { scanner throws(JSONError) in
            try scanner.beginArray()
            return try scanner.nextElement()
        }
        return hasElement == false
    }
}

// Which header lines of an upstream reach the client: its quota, and what it names the call by.

import GatewayWire

/// The header lines of an upstream's response that go on to the client; all others stay here.
package enum UpstreamHeaders {
    /// Names that go through, and how names begin that do.
    private static let names: [StaticString] = [
        "ratelimit", "openai-processing-ms", "openai-version", "openai-model",
    ]
    private static let prefixes: [StaticString] = ["x-ratelimit-", "ratelimit-", "anthropic-ratelimit-"]
    /// The upstream's own id of the call, by whichever name. The client gets it as ``idName``: `x-request-id` is ours.
    private static let ids: [StaticString] = ["x-request-id", "request-id"]
    /// What the upstream's own id of the call is called on its way to the client.
    package static let idName = "x-upstream-request-id"

    /// The lines for the client of a call.
    /// - Parameter requestID: The id under which the call went upstream: one that only repeats it is left out.
    package static func forClient(_ block: HTTPHeaderBlock, requestID: String? = nil) -> [HTTPHeader] {
        var hasID = false
        let fields = block.fields { name in
            // Nearly all lines of nearly all servers end here.
            switch (name.first ?? 0) | 0x20 {
            case UInt8(ascii: "r"), UInt8(ascii: "x"), UInt8(ascii: "o"), UInt8(ascii: "a"): isKnown(name) || isID(name)
            default: false
            }
        }
        guard !fields.isEmpty else { return [] }
        return fields.compactMap { field in
            guard ids.contains(where: { field.name.equalsIgnoringCase($0) }) else {
                return HTTPHeader(field.name.lowercased(), field.value)
            }
            guard !hasID, field.value != requestID else { return nil }
            hasID = true
            return HTTPHeader(idName, field.value)
        }
    }

    private static func isKnown(_ name: UnsafeRawBufferPointer) -> Bool {
        names.contains { name.equalsIgnoringCase($0) }
            || prefixes.contains { name.startsIgnoringCase(with: $0) }
    }

    private static func isID(_ name: UnsafeRawBufferPointer) -> Bool {
        ids.contains { name.equalsIgnoringCase($0) }
    }
}

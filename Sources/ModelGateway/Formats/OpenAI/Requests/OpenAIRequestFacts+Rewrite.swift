// The few changes that a request of the provider's own format needs on its way; all other bytes stay as they came.

import GatewayWire

extension OpenAIRequestFacts {
    package func rewritten(_ body: [UInt8], model upstreamModel: String, asksForUsage: Bool) -> [UInt8] {
        var edits = ByteEdits()
        if let modelSlice, upstreamModel != model {
            var json = JSONWriter(capacity: upstreamModel.utf8.count + 2)
            json.string(upstreamModel)
            edits.replace(modelSlice.range, with: json.bytes)
        }
        if asksForUsage, isStreamed, !wantsStreamUsage { askForUsage(in: body, &edits) }
        return edits.applied(to: body)
    }

    private func askForUsage(in body: [UInt8], _ edits: inout ByteEdits) {
        guard let options = streamOptions else {
            let start = objectStart + 1
            return edits.replace(start..<start, with: Array(#""stream_options":{"include_usage":true},"#.utf8))
        }
        guard options.kind == .object else {
            return edits.replace(options.range, with: Array(#"{"include_usage":true}"#.utf8))
        }
        if let present = includeUsageSlice { return edits.replace(present.range, with: Array("true".utf8)) }
        let start = options.start + 1
        let isEmpty = body[start..<(options.end - 1)].allSatisfy { $0 <= 0x20 }
        let member = isEmpty ? #""include_usage":true"# : #""include_usage":true,"#
        edits.replace(start..<start, with: Array(member.utf8))
    }
}

// The few changes that a request of the provider's own format needs on its way; all other bytes stay as they came.

import GatewayWire

extension OpenAIRequestFacts {
    /// The body for a provider.
    /// - Parameters:
    ///   - body: The body that the facts were found in.
    ///   - model: The model's id at the provider.
    ///   - asksForUsage: Whether a stream must end with the usage, also if the client did not ask for it.
    package func rewritten(_ body: [UInt8], model upstreamModel: String, asksForUsage: Bool) -> [UInt8] {
        var edits: [(range: Range<Int>, text: [UInt8])] = []
        if upstreamModel != model {
            var json = JSONWriter(capacity: upstreamModel.utf8.count + 2)
            json.string(upstreamModel)
            if let modelSlice { edits.append((modelSlice.range, json.bytes)) }
        }
        if asksForUsage, stream, !includeUsage { edits.append(usageEdit(in: body)) }
        guard !edits.isEmpty else { return body }
        edits.sort { $0.range.lowerBound < $1.range.lowerBound }
        var output: [UInt8] = []
        output.reserveCapacity(body.count + edits.reduce(0) { $0 + $1.text.count })
        var position = 0
        for edit in edits {
            output += body[position..<edit.range.lowerBound]
            output += edit.text
            position = edit.range.upperBound
        }
        output += body[position...]
        return output
    }

    private func usageEdit(in body: [UInt8]) -> (range: Range<Int>, text: [UInt8]) {
        guard let options = streamOptions else {
            let start = objectStart + 1
            return (start..<start, Array(#""stream_options":{"include_usage":true},"#.utf8))
        }
        guard options.kind == .object else {
            return (options.range, Array(#"{"include_usage":true}"#.utf8))
        }
        if let present = includeUsageSlice { return (present.range, Array("true".utf8)) }
        let start = options.start + 1
        let isEmpty = body[start..<(options.end - 1)].allSatisfy { $0 <= 0x20 }
        return (start..<start, Array((isEmpty ? #""include_usage":true"# : #""include_usage":true,"#).utf8))
    }
}

// Writing server-sent events by appending to a byte array.

/// Frames events. `beginData` and `endEvent` enclose data that is written straight into the buffer, for example by a
/// `JSONWriter`; it must be free of line ends, as compact JSON is.
package enum SSEWriter {
    /// Appends a whole event. Line ends in the data become several data lines, as the format demands.
    package static func append(event name: StaticString? = nil, data: UnsafeRawBufferPointer, to output: inout [UInt8])
    {
        output.reserveCapacity(output.count + data.count + 32)
        beginData(event: name, to: &output)
        var lineEnds = SSELineEnds(data)
        var start = 0
        while true {
            let end = lineEnds.next(from: start)
            output.append(bytes: data.clamped(to: start..<end))
            guard end < data.count else { break }
            start = end + 1
            if data[end] == 0x0D, start < data.count, data[start] == 0x0A { start += 1 }
            output.append(literal: "\ndata: ")
        }
        endEvent(to: &output)
    }

    /// Appends a whole event.
    package static func append(event name: StaticString? = nil, data: [UInt8], to output: inout [UInt8]) {
        data.withBytes { append(event: name, data: $0, to: &output) }
    }

    /// Appends the `event` line, if there is a name, and the start of the data line.
    package static func beginData(event name: StaticString? = nil, to output: inout [UInt8]) {
        if let name {
            output.append(literal: "event: ")
            output.append(literal: name)
            output.append(literal: "\n")
        }
        output.append(literal: "data: ")
    }

    /// Ends the data line and the event.
    package static func endEvent(to output: inout [UInt8]) {
        output.append(literal: "\n\n")
    }

    /// Appends the `data: [DONE]` that ends an OpenAI stream.
    package static func appendDone(to output: inout [UInt8]) {
        output.append(literal: "data: [DONE]\n\n")
    }
}

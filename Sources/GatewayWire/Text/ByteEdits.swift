// Changing a few places of a text and leaving every other byte as it came.

/// Edits of one text, made at once.
package struct ByteEdits {
    private var edits: [(range: Range<Int>, text: [UInt8])] = []

    package init() {}

    /// Whether nothing is to be changed.
    package var isEmpty: Bool { edits.isEmpty }

    /// Puts other bytes in a place; an empty place is where they are inserted. An edit inside of a larger one is void.
    package mutating func replace(_ range: Range<Int>, with text: [UInt8]) {
        edits.append((range, text))
    }

    /// The text with the edits made. Of two insertions at the same place the earlier one comes first.
    package func applied(to source: [UInt8]) -> [UInt8] {
        if isEmpty { return source }
        var output: [UInt8] = []
        append(source, to: &output)
        return output
    }

    /// Appends the text with the edits made.
    package func append(_ source: [UInt8], to output: inout [UInt8]) {
        let sorted = edits.sorted { left, right in
            if left.range.lowerBound != right.range.lowerBound {
                return left.range.lowerBound < right.range.lowerBound
            }
            // At the same place an insertion comes first; of two nested ranges the outer one.
            if left.range.isEmpty != right.range.isEmpty { return left.range.isEmpty }
            return left.range.upperBound > right.range.upperBound
        }
        output.reserveCapacity(output.count + source.count + edits.reduce(0) { $0 + $1.text.count })
        source.withBytes { source in
            var position = 0
            for edit in sorted where edit.range.lowerBound >= position {
                output.append(bytes: source.clamped(to: position..<edit.range.lowerBound))
                output.append(contentsOf: edit.text)
                position = edit.range.upperBound
            }
            output.append(bytes: source.clamped(to: position..<source.count))
        }
    }
}

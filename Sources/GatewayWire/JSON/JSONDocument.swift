// A JSON body kept as bytes, checked once, with its top-level members indexed.

/// A request or response body: the bytes as they came, known to be one valid JSON object.
///
/// Nothing is decoded until it is asked for, so reading two members of a large body costs one pass over its bytes.
package struct JSONDocument: Sendable {
    /// The body as it came.
    package let bytes: [UInt8]
    /// The top-level members.
    package let index: JSONIndex

    /// Checks the whole text and indexes the top level.
    /// - Throws: `JSONError` when it is not valid JSON, or not an object (`.expectedObject`).
    package init(_ bytes: [UInt8]) throws(JSONError) {
        index = try bytes.withBytes { (buffer) throws(JSONError) -> JSONIndex in
            var scanner = JSONScanner(buffer)
            let index = try JSONIndex(from: &scanner)
            try scanner.finish()
            return index
        }
        self.bytes = bytes
    }

    /// The value of a top-level key; of duplicates the last.
    package subscript(key: StaticString) -> JSONSlice? {
        bytes.withBytes { index.value(for: key, in: $0) }
    }

    /// The index of a nested object; nil for values of other kinds.
    package func index(of slice: JSONSlice) -> JSONIndex? {
        guard slice.kind == .object else { return nil }
        return bytes.withBytes { try? JSONIndex(of: slice, in: $0) }
    }

    /// Scans a part of the body, for example the elements of `messages`.
    package func scan<Result, Failure: Error>(
        _ slice: JSONSlice,
        _ body: (inout JSONScanner) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withBytes { (buffer) throws(Failure) -> Result in
            var scanner = JSONScanner(buffer, range: slice.range)
            return try body(&scanner)
        }
    }
}

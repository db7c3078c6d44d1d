// Where the members of one object are: keys and values as byte ranges, found in one pass.

/// The members of one object of a JSON text. Plain data, read with the buffer that it was made from.
package struct JSONIndex: Sendable {
    /// A key and its value.
    package struct Member: Sendable {
        package let key: JSONSlice
        package let value: JSONSlice
    }

    /// The object itself.
    package let object: JSONSlice
    /// The members in the order of the text, duplicates included.
    package let members: [Member]

    /// Indexes the object at `object`. Nested values are checked but not indexed.
    package init(of object: JSONSlice, in bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var scanner = JSONScanner(bytes, range: object.range)
        try self.init(from: &scanner)
    }

    /// Indexes the object that the scanner stands before, and leaves the scanner behind it.
    package init(from scanner: inout JSONScanner) throws(JSONError) {
        try scanner.beginObject()
        let start = scanner.position - 1
        var members: [Member] = []
        members.reserveCapacity(16)
        while let key = try scanner.nextMember() {
            members.append(Member(key: key, value: try scanner.nextValue()))
        }
        self.members = members
        object = JSONSlice(kind: .object, start: start, end: scanner.position)
    }

    /// The value of a key. Of duplicates the last one counts, as in Python, Go and JavaScript.
    package func value(for key: StaticString, in bytes: UnsafeRawBufferPointer) -> JSONSlice? {
        key.withBytes { value(for: $0, in: bytes) }
    }

    /// The value of a key given as UTF-8 bytes.
    package func value(for key: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> JSONSlice? {
        members.last { $0.key.equals(key, in: bytes) }?.value
    }
}

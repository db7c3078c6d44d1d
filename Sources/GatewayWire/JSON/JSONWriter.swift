// Writing JSON by appending to a byte array.

/// Appends JSON to `bytes`. Commas are placed by the writer; balanced calls and a key before each member are the
/// caller's part.
///
///     var writer = JSONWriter()
///     writer.beginObject()
///     writer.member("model", "m")
///     writer.key("choices"); writer.beginArray(); writer.endArray()
///     writer.endObject()
package struct JSONWriter: Sendable {
    /// What has been written, behind what was there before.
    package var bytes: [UInt8]
    private var needsComma = false

    /// Starts with an empty buffer.
    package init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Appends to an existing buffer.
    package init(appendingTo bytes: consuming [UInt8]) {
        self.bytes = bytes
    }

    /// Continues a container that already has items: the next item gets a comma.
    package mutating func continueContainer() {
        needsComma = true
    }

}

// MARK: - Structure

extension JSONWriter {
    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    package mutating func key(_ key: StaticString) {
        key.withBytes { JSONEscaping.appendQuoted($0, isValid: true, comma: needsComma, colon: true, to: &bytes) }
        needsComma = false
    }

    package mutating func key(_ key: String) {
        appendQuoted(key, colon: true)
        needsComma = false
    }

    /// A key given as UTF-8 bytes; ill-formed ones become U+FFFD.
    package mutating func key(utf8 key: UnsafeRawBufferPointer) {
        JSONEscaping.appendQuoted(key, isValid: false, comma: needsComma, colon: true, to: &bytes)
        needsComma = false
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }
}

// MARK: - Values

extension JSONWriter {
    package mutating func string(_ value: String) {
        appendQuoted(value)
        needsComma = true
    }

    package mutating func string(_ value: StaticString) {
        value.withBytes { JSONEscaping.appendQuoted($0, isValid: true, comma: needsComma, to: &bytes) }
        needsComma = true
    }

    /// A string given as UTF-8 bytes; ill-formed ones become U+FFFD.
    package mutating func string(utf8 value: UnsafeRawBufferPointer) {
        JSONEscaping.appendQuoted(value, isValid: false, comma: needsComma, to: &bytes)
        needsComma = true
    }

    package mutating func int(_ value: Int) {
        separate()
        Decimal.append(value, to: &bytes)
    }

    /// The shortest digits that read back as the same double. A whole number keeps a fraction (`1.0`), so that it stays
    /// a floating-point number for readers that tell the two apart. JSON has no NaN and no infinity: they become null.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
    }

    package mutating func bool(_ value: Bool) {
        literal(value ? "true" : "false")
    }

    package mutating func null() {
        literal("null")
    }

    /// A complete JSON value, copied as it is.
    package mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        bytes.append(literal: text)
    }

    private mutating func appendQuoted(_ value: String, colon: Bool = false) {
        let utf8 = value.utf8
        let done: Void? = utf8.withContiguousStorageIfAvailable { text in
            let text = UnsafeRawBufferPointer(text)
            JSONEscaping.appendQuoted(text, isValid: true, comma: needsComma, colon: colon, to: &bytes)
        }
        guard done == nil else { return }
        Array(utf8).withBytes { text in
            JSONEscaping.appendQuoted(text, isValid: true, comma: needsComma, colon: colon, to: &bytes)
        }
    }
}

// MARK: - Members

extension JSONWriter {
    package mutating func member(_ key: StaticString, _ value: String) {
        self.key(key)
        string(value)
    }

    package mutating func member(_ key: StaticString, _ value: Int) {
        self.key(key)
        int(value)
    }

    package mutating func member(_ key: StaticString, _ value: Double) {
        self.key(key)
        double(value)
    }

    package mutating func member(_ key: StaticString, _ value: Bool) {
        self.key(key)
        bool(value)
    }

    /// A member whose value is a literal of the program.
    package mutating func member(_ key: StaticString, literal value: StaticString) {
        self.key(key)
        string(value)
    }
}

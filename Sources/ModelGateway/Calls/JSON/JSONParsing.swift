// JSON text to `JSONValue` and back, for requests and answers that are translated rather than passed through.

package import GatewayWire

extension JSONValue {
    /// Reads one JSON text.
    /// - Throws: A ``GatewayError`` with the code ``GatewayError/Code/invalidRequest`` that names the place of the
    ///   first mistake.
    public init(parsing bytes: [UInt8]) throws(GatewayError) {
        do {
            self = try bytes.withBytes { buffer throws(JSONError) in
                var scanner = JSONScanner(buffer)
                let value = try JSONValue(from: &scanner)
                try scanner.finish()
                return value
            }
        } catch {
            throw GatewayError(.invalidRequest, "The body is not valid JSON: \(error).")
        }
    }

    /// Recursion is bounded by the scanner's limit of depth.
    private init(from scanner: inout JSONScanner) throws(JSONError) {
        switch try scanner.peekKind() {
        case .object:
            var members: [JSONMember] = []
            try scanner.beginObject()
            while let key = try scanner.nextMember() {
                let name = key.string(in: scanner.bytes) ?? ""
                members.append(JSONMember(name, try JSONValue(from: &scanner)))
            }
            self = .object(members)
        case .array:
            var elements: [JSONValue] = []
            try scanner.beginArray()
            while try scanner.nextElement() { elements.append(try JSONValue(from: &scanner)) }
            self = .array(elements)
        case .string:
            self = .string(try scanner.nextValue().string(in: scanner.bytes) ?? "")
        case .number:
            let text = String(decoding: try scanner.nextValue().raw(in: scanner.bytes), as: UTF8.self)
            self = .number(JSONNumber(unchecked: text))
        case .true, .false:
            self = .bool(try scanner.nextValue().bool ?? false)
        case .null:
            try scanner.skipValue()
            self = .null
        }
    }

    /// The value as JSON text in UTF-8, without white space; members and numbers as they are.
    public func serialized() -> [UInt8] {
        var json = JSONWriter()
        write(to: &json)
        return json.bytes
    }

    /// Appends the value to a text that is being written.
    package func write(to json: inout JSONWriter) {
        switch self {
        case .null: json.null()
        case .bool(let value): json.bool(value)
        case .number(let value): json.raw(Array(value.text.utf8))
        case .string(let value): json.string(value)
        case .array(let elements):
            json.beginArray()
            for element in elements { element.write(to: &json) }
            json.endArray()
        case .object(let members):
            json.beginObject()
            for member in members {
                json.key(member.name)
                member.value.write(to: &json)
            }
            json.endObject()
        }
    }
}

// Tools, their calls and the form of answers through any encoder and decoder.

/// The names of the properties; ``name`` must be there.
extension Tool: Codable {
    private enum Key: CodingKey {
        case name, description, parameters, strict, extra
    }

    /// Reads a function description.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            name: try values.decode(String.self, forKey: .name),
            description: try values.decodeIfPresent(String.self, forKey: .description),
            parameters: try values.decodeIfPresent(JSONValue.self, forKey: .parameters),
            strict: try values.decodeIfPresent(Bool.self, forKey: .strict),
            extra: try values.fields(.extra)
        )
    }

    /// Writes the function description.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(name, forKey: .name)
        try values.encodeIfPresent(description, forKey: .description)
        try values.encodeIfPresent(parameters, forKey: .parameters)
        try values.encodeIfPresent(strict, forKey: .strict)
        try values.encode(fields: extra, forKey: .extra)
    }
}

/// The names of the properties; all but ``extra`` must be there.
extension ToolCall: Codable {
    private enum Key: CodingKey {
        case id, name, arguments, extra
    }

    /// Reads a call.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            id: try values.decode(String.self, forKey: .id),
            name: try values.decode(String.self, forKey: .name),
            arguments: try values.decode(String.self, forKey: .arguments),
            extra: try values.fields(.extra)
        )
    }

    /// Writes the call.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(id, forKey: .id)
        try values.encode(name, forKey: .name)
        try values.encode(arguments, forKey: .arguments)
        try values.encode(fields: extra, forKey: .extra)
    }
}

/// `"auto"`, `"none"`, `"required"`, `{"function": "name"}` or `{"other": …}`.
extension ToolChoice: Codable {
    private enum Key: CodingKey {
        case function, other
    }

    private enum Word: String, Codable {
        case auto, none, required
    }

    /// Reads a choice.
    public init(from decoder: any Decoder) throws {
        guard let values = try? decoder.container(keyedBy: Key.self) else {
            switch try Word(from: decoder) {
            case .auto: self = .auto
            case .none: self = .none
            case .required: self = .required
            }
            return
        }
        switch try values.onlyKey("An object with one of 'function' and 'other'") {
        case .function: self = .function(try values.decode(String.self, forKey: .function))
        case .other: self = .other(try values.decode(JSONValue.self, forKey: .other))
        }
    }

    /// Writes the choice.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .auto: try Word.auto.encode(to: encoder)
        case .none: try Word.none.encode(to: encoder)
        case .required: try Word.required.encode(to: encoder)
        case .function(let name):
            var values = encoder.container(keyedBy: Key.self)
            try values.encode(name, forKey: .function)
        case .other(let value):
            var values = encoder.container(keyedBy: Key.self)
            try values.encode(value, forKey: .other)
        }
    }
}

/// `"text"`, `"jsonObject"` or `{"jsonSchema": {"name": "…", "schema": {…}, "strict": true, "extra": {…}}}`.
extension ResponseFormat: Codable {
    private enum Key: CodingKey {
        case jsonSchema
    }

    private enum SchemaKey: CodingKey {
        case name, schema, strict, extra
    }

    private enum Word: String, Codable {
        case text, jsonObject
    }

    /// Reads a form.
    public init(from decoder: any Decoder) throws {
        guard let values = try? decoder.container(keyedBy: Key.self) else {
            switch try Word(from: decoder) {
            case .text: self = .text
            case .jsonObject: self = .jsonObject
            }
            return
        }
        let schema = try values.nestedContainer(keyedBy: SchemaKey.self, forKey: .jsonSchema)
        self = .jsonSchema(
            name: try schema.decode(String.self, forKey: .name),
            schema: try schema.decode(JSONValue.self, forKey: .schema),
            strict: try schema.decodeIfPresent(Bool.self, forKey: .strict),
            extra: try schema.fields(.extra)
        )
    }

    /// Writes the form.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .text: try Word.text.encode(to: encoder)
        case .jsonObject: try Word.jsonObject.encode(to: encoder)
        case .jsonSchema(let name, let schema, let strict, let extra):
            var values = encoder.container(keyedBy: Key.self)
            var members = values.nestedContainer(keyedBy: SchemaKey.self, forKey: .jsonSchema)
            try members.encode(name, forKey: .name)
            try members.encode(schema, forKey: .schema)
            try members.encodeIfPresent(strict, forKey: .strict)
            try members.encode(fields: extra, forKey: .extra)
        }
    }
}

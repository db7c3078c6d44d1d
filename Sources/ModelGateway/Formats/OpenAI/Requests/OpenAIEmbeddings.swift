// OpenAI's embeddings: request JSON to `EmbeddingRequest` and back, response from and to JSON.

import GatewayWire

/// An embedding request as a client of OpenAI's API writes it.
package struct OpenAIEmbeddingRequest {
    /// What is asked of the model.
    package var request: EmbeddingRequest
    /// How the vectors are spelled in the answer.
    package var encoding: Delivery.VectorEncoding

    /// Reads a request.
    /// - Throws: ``GatewayError/Code/invalidRequest`` that names the field.
    package init(decoding json: JSONValue) throws(GatewayError) {
        let body = RequestField(json)
        let members = try body.members()
        request = EmbeddingRequest(
            model: try body["model"].required().string(),
            input: try Self.input(body["input"].required()),
            dimensions: try body["dimensions"].present?.int(1...1_000_000),
            user: try body["user"].present?.string(),
            extra: members.beside(["model", "input", "dimensions", "user", "encoding_format"])
        )
        let format = body["encoding_format"]
        guard let encoding = Delivery.VectorEncoding(rawValue: try format.present?.string() ?? "float") else {
            throw format.invalid("must be 'float' or 'base64'.")
        }
        self.encoding = encoding
    }

    private static func input(_ field: RequestField) throws(GatewayError) -> [EmbeddingRequest.Input] {
        if case .string(let text) = field.value { return [.text(text)] }
        let elements = try field.elements()
        guard let first = elements.first else { throw field.invalid("must not be empty.") }
        if case .number = first.value { return [.tokens(try OpenAICompletionRequest.tokens(field))] }
        var input: [EmbeddingRequest.Input] = []
        for element in elements {
            if case .string(let text) = element.value {
                input.append(.text(text))
            } else {
                input.append(.tokens(try OpenAICompletionRequest.tokens(element)))
            }
        }
        return input
    }
}

extension EmbeddingRequest {
    /// Writes the request.
    /// - Parameter model: The model's id at the provider.
    package func openAI(model: String) -> JSONValue {
        let inputs = input.map { item -> JSONValue in
            switch item {
            case .text(let text): .string(text)
            case .tokens(let tokens): .array(tokens.map { .number(JSONNumber($0)) })
            }
        }
        var members = [
            JSONMember("model", .string(model)),
            JSONMember("input", inputs.count == 1 ? inputs[0] : .array(inputs)),
            JSONMember("encoding_format", "float"),
        ]
        members.append("dimensions", dimensions.map { .number(JSONNumber($0)) })
        members.append("user", user.map(JSONValue.string))
        return .object(members + extra)
    }
}

extension EmbeddingResponse {
    /// Reads a provider's response.
    /// - Throws: What the response says instead; ``GatewayError/Code/malformedResponse`` if there are no vectors in it.
    package init(openAI json: JSONValue) throws(GatewayError) {
        guard let data = json["data"]?.array else { throw GatewayError(upstreamWithoutAnswer: json) }
        var vectors: [(index: Int, vector: [Float])] = []
        for (position, item) in data.enumerated() {
            vectors.append((item["index"]?.int ?? position, try Self.vector(item["embedding"])))
        }
        self.init(
            model: json["model"]?.string ?? "",
            embeddings: vectors.sorted { $0.index < $1.index }.map(\.vector),
            usage: json["usage"].flatMap(Usage.init(openAI:))
        )
    }

    private static func vector(_ json: JSONValue?) throws(GatewayError) -> [Float] {
        switch json {
        case .array(let numbers):
            return numbers.map { Float($0.double ?? .nan) }
        case .string(let text):
            if let floats = Array(text.utf8).withBytes({ Base64.decodeFloats($0) }) { return floats }
        default: break
        }
        throw GatewayError(.malformedResponse, "The provider's embedding response has a vector that cannot be read.")
    }

    /// Writes the response.
    package func openAI(encoding: Delivery.VectorEncoding) -> [UInt8] {
        var json = JSONWriter(capacity: 256 + embeddings.reduce(0) { $0 + $1.count * 12 })
        json.beginObject()
        json.member("object", literal: "list")
        json.key("data")
        json.beginArray()
        for (index, vector) in embeddings.enumerated() {
            json.beginObject()
            json.member("object", literal: "embedding")
            json.member("index", index)
            json.key("embedding")
            Self.write(vector, encoding: encoding, to: &json)
            json.endObject()
        }
        json.endArray()
        json.member("model", model)
        json.key("usage")
        json.beginObject()
        json.member("prompt_tokens", usage?.promptTokens ?? 0)
        json.member("total_tokens", usage?.promptTokens ?? 0)
        json.endObject()
        json.endObject()
        return json.bytes
    }

    private static func write(_ vector: [Float], encoding: Delivery.VectorEncoding, to json: inout JSONWriter) {
        switch encoding {
        case .base64:
            var text: [UInt8] = []
            Base64.encode(floats: vector, to: &text)
            text.withBytes { json.string(utf8: $0) }
        case .float:
            json.beginArray()
            for number in vector {
                if number.isFinite { json.raw(Array(number.description.utf8)) } else { json.null() }
            }
            json.endArray()
        }
    }
}

// The list of models in the shapes of OpenAI's and Anthropic's APIs.

import GatewayWire
import Hummingbird
import ModelGateway

/// Writes descriptions of models.
enum ModelListing {
    /// Whether a client expects Anthropic's shape: its clients always send the version of the API.
    static func isAnthropic(_ request: Request) -> Bool {
        request.headers.first("anthropic-version") != nil
    }

    static func openAI(_ models: [ModelInfo]) -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + models.count * 96)
        writer.beginObject()
        writer.member("object", literal: "list")
        writer.key("data")
        writer.beginArray()
        for model in models { write(openAI: model, to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    static func openAI(_ model: ModelInfo) -> [UInt8] {
        var writer = JSONWriter()
        write(openAI: model, to: &writer)
        return writer.bytes
    }

    static func anthropic(_ models: [ModelInfo]) -> [UInt8] {
        var writer = JSONWriter(capacity: 64 + models.count * 128)
        writer.beginObject()
        writer.key("data")
        writer.beginArray()
        for model in models { write(anthropic: model, to: &writer) }
        writer.endArray()
        writer.member("has_more", false)
        for (key, model) in [("first_id", models.first), ("last_id", models.last)] {
            writer.key(key)
            if let model { writer.string(model.id) } else { writer.null() }
        }
        writer.endObject()
        return writer.bytes
    }

    static func anthropic(_ model: ModelInfo) -> [UInt8] {
        var writer = JSONWriter()
        write(anthropic: model, to: &writer)
        return writer.bytes
    }

    private static func write(openAI model: ModelInfo, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", model.id)
        writer.member("object", literal: "model")
        writer.member("created", model.created ?? 0)
        writer.member("owned_by", model.ownedBy ?? "unknown")
        if let length = model.contextLength { writer.member("context_length", length) }
        writer.endObject()
    }

    private static func write(anthropic model: ModelInfo, to writer: inout JSONWriter) {
        var created: [UInt8] = []
        CivilTime(unixSeconds: model.created ?? 0).appendRFC3339(to: &created)
        writer.beginObject()
        writer.member("type", literal: "model")
        writer.member("id", model.id)
        writer.member("display_name", model.id)
        writer.member("created_at", String(decoding: created, as: UTF8.self))
        writer.endObject()
    }
}

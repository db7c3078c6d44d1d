// Workers as JSON: what the routes answer, and what they take.

import GatewayWire
import ModelGateway

/// Reads and writes the bodies of the worker routes.
enum WorkerJSON {
    /// What `POST /workers` takes.
    struct Addition {
        var url: String
        var settings: WorkerChange
    }

    // MARK: Reading

    /// Reads the body of `POST /workers`.
    static func addition(_ body: JSONValue) throws(GatewayError) -> Addition {
        let members = try members(of: body, known: ["url", "api_key", "weight", "priority", "tags", "labels"])
        guard let url = members["url"]?.string, !url.isEmpty else {
            throw mistake("url", "must be the base URL of the worker, such as \"http://10.0.0.1:8000\"")
        }
        return Addition(url: url, settings: try settings(members))
    }

    /// Reads the body of `PATCH /workers/{id}`.
    static func change(_ body: JSONValue) throws(GatewayError) -> WorkerChange {
        let fields = ["api_key", "weight", "priority", "tags", "labels", "draining"]
        let members = try members(of: body, known: fields)
        guard !members.isEmpty else {
            let names = fields.map { "'\($0)'" }.joined(separator: ", ")
            throw GatewayError(.invalidRequest, "Nothing to change; send at least one of \(names).")
        }
        var change = try settings(members)
        if let value = members["draining"] {
            guard let isDraining = value.bool else { throw mistake("draining", "must be true or false") }
            change.isDraining = isDraining
        }
        return change
    }

    private static func settings(_ members: [String: JSONValue]) throws(GatewayError) -> WorkerChange {
        var settings = WorkerChange()
        if let value = members["api_key"] {
            guard value == .null || value.string != nil else { throw mistake("api_key", "must be a string or null") }
            settings.apiKey = Secret(value.string ?? "")
        }
        if let value = members["weight"] {
            guard let weight = value.double else { throw mistake("weight", "must be a number") }
            settings.weight = weight
        }
        if let value = members["priority"] {
            guard let priority = value.int else { throw mistake("priority", "must be a whole number") }
            settings.priority = priority
        }
        if let value = members["tags"] {
            guard let tags = value.array?.compactMap(\.string), tags.count == value.array?.count else {
                throw mistake("tags", "must be a list of strings")
            }
            settings.tags = tags
        }
        if let value = members["labels"] {
            guard let entries = value.object else { throw mistake("labels", "must be an object of strings") }
            var labels: [String: String] = [:]
            for entry in entries {
                guard let text = entry.value.string else { throw mistake("labels", "must be an object of strings") }
                labels[entry.name] = text
            }
            settings.labels = labels
        }
        return settings
    }

    private static func members(of body: JSONValue, known: [String]) throws(GatewayError) -> [String: JSONValue] {
        guard let entries = body.object else { throw GatewayError(.invalidRequest, "The body must be a JSON object.") }
        var members: [String: JSONValue] = [:]
        for entry in entries {
            guard known.contains(entry.name) else {
                let names = known.map { "'\($0)'" }.joined(separator: ", ")
                throw GatewayError(
                    .invalidRequest,
                    "There is no field \(String(entry.name.prefix(80)).debugDescription) here; known are \(names).",
                    param: String(entry.name.prefix(80))
                )
            }
            members[entry.name] = entry.value
        }
        return members
    }

    private static func mistake(_ field: String, _ rule: String) -> GatewayError {
        GatewayError(.invalidRequest, "'\(field)' \(rule).", param: field)
    }

    // MARK: Writing

    static func list(_ workers: [Worker]) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("object", literal: "list")
        json.key("data")
        json.beginArray()
        for worker in workers { write(worker, to: &json) }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    static func object(_ worker: Worker) -> [UInt8] {
        var json = JSONWriter()
        write(worker, to: &json)
        return json.bytes
    }

    private static func write(_ worker: Worker, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", worker.id)
        json.member("object", literal: "worker")
        json.member("url", worker.url)
        json.member("state", worker.state.rawValue)
        json.member("leaving", worker.isLeaving)
        write("sources", worker.sources, to: &json)
        json.key("engine")
        if let engine = worker.engine {
            json.beginObject()
            json.member("kind", engine.kind.rawValue)
            if let version = engine.version { json.member("version", version) }
            json.endObject()
        } else {
            json.null()
        }
        write("models", worker.models, to: &json)
        json.member("weight", worker.weight)
        json.member("priority", worker.priority)
        write("tags", worker.tags, to: &json)
        write("labels", worker.labels, to: &json)
        if let problem = worker.problem { json.member("problem", problem) }
        json.key("deployments")
        json.beginArray()
        for deployment in worker.deployments { write(deployment, to: &json) }
        json.endArray()
        json.endObject()
    }

    private static func write(_ status: DeploymentStatus, to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", status.deployment.id)
        json.member("model", status.deployment.model)
        json.member("eligible", status.isEligible)
        write("reasons", status.reasons.map(\.rawValue), to: &json)
        json.member("healthy", status.isHealthy)
        json.member("breaker", status.breaker.rawValue)
        json.key("modes")
        json.beginObject()
        for mode in status.modes {
            json.key(mode.mode.rawValue)
            json.beginObject()
            json.member("eligible", mode.isEligible)
            write("reasons", mode.reasons.map(\.rawValue), to: &json)
            json.member("breaker", mode.breaker.rawValue)
            json.endObject()
        }
        json.endObject()
        json.member("in_flight", status.callsInFlight)
        json.key("load")
        if let load = status.load {
            json.beginObject()
            json.member("running", load.runningRequests)
            json.member("waiting", load.waitingRequests)
            json.member("cache_usage", load.cacheUsage)
            json.endObject()
        } else {
            json.null()
        }
        json.endObject()
    }

    private static func write(_ key: StaticString, _ texts: [String], to json: inout JSONWriter) {
        json.key(key)
        json.beginArray()
        for text in texts { json.string(text) }
        json.endArray()
    }

    private static func write(_ key: StaticString, _ texts: [String: String], to json: inout JSONWriter) {
        json.key(key)
        json.beginObject()
        for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
            json.key(name)
            json.string(text)
        }
        json.endObject()
    }
}

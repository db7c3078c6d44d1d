// What an upstream says of a failure, read out of the many shapes in which servers say it.

import GatewayWire

/// The status, code, type, field and message of an upstream's error: the one reader for the bodies of failed responses,
/// for errors inside successful ones and for error events of streams.
///
/// It knows OpenAI's `{"error":{…}}` and its relatives (`error` as text, `message` as an object, a list around all of
/// it, the fields at the top level), FastAPI's `detail`, lists of `errors`, problem details (RFC 9457), the spellings of
/// Google, AWS and others, and plain text. Of nested shapes the innermost counts; what it leaves out is taken from
/// around it. All texts are ready to be shown to a client: see ``UpstreamErrorText``.
package struct UpstreamErrorReport: Hashable, Sendable {
    /// The HTTP status that the error names itself, 400 to 599.
    package private(set) var status: Int?
    /// The upstream's own code, a number as its digits.
    package private(set) var code: String?
    /// The upstream's own kind of error.
    package private(set) var type: String?
    /// The field of the request that is at fault, such as `messages[0].content`.
    package private(set) var param: String?
    /// What is wrong, in the upstream's words.
    package private(set) var message: String?

    private init() {}

    /// Reads a JSON value; nil if nothing in it tells of an error.
    package init?(_ json: JSONValue) {
        self.init()
        read(json, depth: 0)
        message = message.flatMap { UpstreamErrorText.message($0) }
        code = code.flatMap { UpstreamErrorText.name($0) }
        type = type.flatMap { UpstreamErrorText.name($0) }
        param = param.flatMap { UpstreamErrorText.name($0) }
        guard message != nil || code != nil || type != nil || status != nil else { return nil }
    }

    /// Reads a body of any kind. HTML tells nothing, of plain text the first lines count.
    package init?(body: [UInt8]) {
        if let json = JSONValue(upstream: body) {
            self.init(json)
        } else if let event = Self.firstEvent(of: body) {
            self.init(body: event)
        } else {
            self.init()
            guard let text = UpstreamErrorText.message(ofPlainText: body) else { return nil }
            message = text
        }
    }

    /// The data of the first event, if the body is an event stream.
    private static func firstEvent(of body: [UInt8]) -> [UInt8]? {
        guard AnswerForm(firstBytes: body) == .events else { return nil }
        var data: [UInt8]?
        var parser = SSEParser()
        try? parser.feed(body) { if data == nil { data = $0.data.map { Array($0) } } }
        try? parser.finish { if data == nil { data = $0.data.map { Array($0) } } }
        return data == body ? nil : data
    }
}

// MARK: - Shapes

extension UpstreamErrorReport {
    /// Members that may hold the error, or a list of errors.
    private static let containers = ["error", "errors", "detail", "message"]

    /// Members with the message as text, the most telling first.
    private static let messageNames = [
        "message", "Message", "msg", "detail", "error_message", "errorMessage", "error_msg", "error_description",
        "error",
        "title",
    ]

    /// The most shapes inside each other, and the most errors of a list, that are looked at.
    private static let limit = 8

    private mutating func read(_ json: JSONValue, depth: Int) {
        guard depth < Self.limit else { return }
        switch json {
        case .object:
            for name in Self.containers {
                if let inner = json[name], inner.array != nil || inner.object != nil { read(inner, depth: depth + 1) }
            }
            readMembers(of: json, depth: depth)
        case .array(let elements):
            readList(elements, depth: depth)
        case .string(let text):
            take(text, depth: depth)
        default: break
        }
    }

    private mutating func readList(_ elements: [JSONValue], depth: Int) {
        var messages: [String] = []
        for element in elements.prefix(Self.limit) {
            var report = UpstreamErrorReport()
            report.read(element, depth: depth + 1)
            if let message = report.message { messages.append(message) }
            fill(from: report)
        }
        if message == nil, !messages.isEmpty { message = messages.joined(separator: "; ") }
    }

    private mutating func readMembers(of json: JSONValue, depth: Int) {
        if let location = json["loc"]?.array {
            readValidation(json, at: location)
        }
        if message == nil {
            for name in Self.messageNames where message == nil {
                if let text = json[name]?.string { take(text, depth: depth) }
            }
        }
        for name in ["code", "error_code", "errorCode"] where code == nil { code = Self.text(json[name]) }
        for name in ["code", "status", "status_code", "statusCode", "error_code"] where status == nil {
            status = Self.status(json[name])
        }
        // AWS writes a name space before the type; the type of problem details is an address.
        for name in ["type", "__type", "status"] where type == nil {
            type = json[name]?.string.flatMap { $0.split(separator: "#").last.map(String.init) }
            if let text = type, Int(text) != nil || text.contains(":") { type = nil }
        }
        if param == nil { param = json["param"]?.string }
    }

    /// FastAPI's `{"loc":["body","messages",0],"msg":"…","type":"…"}`.
    private mutating func readValidation(_ json: JSONValue, at location: [JSONValue]) {
        let parts = location.compactMap(Self.text)
        if let text = json["msg"]?.string, message == nil {
            message = parts.isEmpty ? text : parts.joined(separator: ".") + ": " + text
        }
        guard param == nil else { return }
        var path = ""
        for (place, part) in parts.enumerated() where place > 0 || part != "body" {
            if Int(part) != nil {
                path += "[\(part)]"
            } else {
                path += path.isEmpty ? part : "." + part
            }
        }
        if !path.isEmpty { param = path }
    }

    /// Takes a text as the message, or what is in it if it is the JSON of another error.
    private mutating func take(_ text: String, depth: Int) {
        guard message == nil, !text.isEmpty else { return }
        if text.hasPrefix("{") || text.hasPrefix("["), let json = try? JSONValue(parsing: Array(text.utf8)) {
            read(json, depth: depth + 1)
        }
        if message == nil { message = text }
    }

    private mutating func fill(from other: UpstreamErrorReport) {
        status = status ?? other.status
        code = code ?? other.code
        type = type ?? other.type
        param = param ?? other.param
    }

    /// A text, or a number in its own spelling.
    private static func text(_ json: JSONValue?) -> String? {
        switch json {
        case .string(let text): text.isEmpty ? nil : text
        case .number(let number): number.text
        default: nil
        }
    }

    /// A status of HTTP, as a number or as its digits.
    private static func status(_ json: JSONValue?) -> Int? {
        guard let status = text(json).flatMap({ Int($0) }), (400..<600).contains(status) else { return nil }
        return status
    }
}

// MARK: - Inside a success

extension UpstreamErrorReport {
    /// Reads the error in a body or an event whose status said success; nil if it is an answer, or a part of one.
    package init?(insideSuccess json: JSONValue) {
        let holder = json.array?.first ?? json
        guard Self.isFailure(holder) else { return nil }
        self = Self(holder) ?? Self()
    }

    private static func isFailure(_ json: JSONValue) -> Bool {
        if json["object"]?.string == "error" || json["type"]?.string == "error" { return true }
        // A choice may come with the object that says why it broke off; an empty value of `error` says that nothing did.
        if let error = json["error"]?.object { return !error.isEmpty }
        guard json["choices"]?.array?.isEmpty != false, json["data"]?.array?.isEmpty != false else { return false }
        if says(json["error"]) || says(json["errors"]) { return true }
        guard json["choices"] == nil else { return false }
        return Self(json)?.isClassified == true
    }

    private static func says(_ value: JSONValue?) -> Bool {
        switch value {
        case .string(let text): !text.isEmpty
        case .array(let elements): !elements.isEmpty
        case .object(let members): !members.isEmpty
        case .bool(let isError): isError
        default: false
        }
    }
}

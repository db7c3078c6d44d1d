// What is read out of an upstream's error, in all the shapes that servers document.

import ModelGateway
import Testing

@Suite("Errors of upstreams")
struct UpstreamErrorTests {
    /// A body, and what a client must learn from it.
    struct Shape: Sendable, CustomTestStringConvertible {
        let body: String
        let message: String?
        var param: String?
        var code: String?
        var type: String?

        var testDescription: String { body }
    }

    static let shapes = [
        Shape(
            body: #"{"error":{"message":"bad x","type":"invalid_request_error","param":"x","code":"bad_x"}}"#,
            message: "bad x",
            param: "x",
            code: "bad_x",
            type: "invalid_request_error"
        ),
        Shape(body: #"{"error":"model 'x' not found"}"#, message: "model 'x' not found"),
        Shape(
            body: #"{"error":{"message":{"detail":"too long","code":"x1"},"type":"t"}}"#,
            message: "too long",
            code: "x1",
            type: "t"
        ),
        Shape(
            body: #"[{"error":{"code":400,"message":"Invalid JSON payload","status":"INVALID_ARGUMENT"}}]"#,
            message: "Invalid JSON payload",
            code: "400",
            type: "INVALID_ARGUMENT"
        ),
        Shape(body: #"{"detail":"Unsupported parameter"}"#, message: "Unsupported parameter"),
        Shape(
            body:
                #"{"detail":[{"loc":["body","messages",0,"content"],"msg":"Field required","type":"missing"},{"loc":["body","n"],"msg":"Too big","type":"range"}]}"#,
            message: "body.messages.0.content: Field required; body.n: Too big",
            param: "messages[0].content",
            type: "missing"
        ),
        Shape(
            body: #"{"object":"error","message":"too many tokens","type":"BadRequestError","param":null,"code":400}"#,
            message: "too many tokens",
            code: "400",
            type: "BadRequestError"
        ),
        Shape(body: #"{"message":"no such model"}"#, message: "no such model"),
        Shape(body: #"{"message":{"text":"","message":"inner"}}"#, message: "inner"),
        Shape(body: #"{"error_message":"bad"}"#, message: "bad"),
        Shape(body: #"{"errors":[{"message":"one","code":"c"},{"message":"two"}]}"#, message: "one; two", code: "c"),
        Shape(body: #"{"errors":["one","two"]}"#, message: "one; two"),
        Shape(
            body: ##"{"message":"Malformed input","__type":"com.amazon.coral.service#ValidationException"}"##,
            message: "Malformed input",
            type: "ValidationException"
        ),
        Shape(
            body: #"{"type":"https://example.com/probs/x","title":"Bad","status":400,"detail":"The text is bad"}"#,
            message: "The text is bad"
        ),
        Shape(
            body: #"{"timestamp":"2024","status":400,"error":"Bad Request","message":"JSON parse error"}"#,
            message: "JSON parse error"
        ),
        Shape(
            body: #"{"error":"{\"error\":{\"message\":\"wrapped\",\"code\":\"w\"}}"}"#,
            message: "wrapped",
            code: "w"
        ),
        Shape(body: "data: {\"error\":{\"message\":\"as an event\"}}\n\n", message: "as an event"),
        Shape(body: "Unknown field 'x'\nsecond line", message: "Unknown field 'x'\nsecond line"),
        Shape(body: "<html><body>Bad gateway at 10.0.0.7</body></html>", message: nil),
        Shape(body: #"{"error":{"message":"<!DOCTYPE html><p>no"}}"#, message: nil),
        Shape(body: "{}", message: nil),
        Shape(body: "", message: nil),
    ]

    @Test(arguments: shapes)
    func `D19: the text of a 400 reaches the client whatever its shape`(shape: Shape) {
        let error = GatewayError(upstreamStatus: 400, headers: HTTPHeaderBlock(bytes: []), body: Array(shape.body.utf8))
        #expect(error.message == shape.message ?? "The provider refused the request (HTTP 400).")
        #expect(error.param == shape.param)
        #expect(error.upstream?.code == shape.code)
        #expect(error.upstream?.type == shape.type)
        #expect(error.code == .invalidRequest)
    }

    @Test(arguments: [
        (#"{"error":{"message":"slow down","code":"429"}}"#, GatewayError.Code.rateLimited),
        (#"{"error":{"message":"slow down","code":429}}"#, .rateLimited),
        (#"{"error":{"message":"slow down","status":"429"}}"#, .rateLimited),
        (#"{"error":"slow down","code":"429"}"#, .rateLimited),
        (#"[{"error":{"message":"quota","status":"RESOURCE_EXHAUSTED"}}]"#, .rateLimited),
        (#"{"message":"Too many tokens","__type":"ThrottlingException"}"#, .rateLimited),
        (#"{"code":"429","message":"slow down"}"#, .rateLimited),
        (#"{"object":"error","message":"too long","type":"BadRequestError","code":400}"#, .invalidRequest),
        (#"{"object":"error","message":"boom","type":"InternalServerError","code":500}"#, .upstreamFailed),
        (#"{"object":"error"}"#, .upstreamFailed),
        (#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#, .unavailable),
        (#"{"detail":[{"loc":["body","n"],"msg":"bad","type":"x"}],"error":true}"#, .unprocessable),
        (#"{"error":{"message":"This model's maximum context length is 8192 tokens"}}"#, .contextLengthExceeded),
        (#"{"choices":[],"error":"engine died"}"#, .upstreamFailed),
        (#"{"choices":[{"index":0,"delta":{}}],"error":{"code":"503","message":"gone"}}"#, .unavailable),
    ])
    func `D20: an error inside a success has the status that it names or implies`(
        body: String,
        code: GatewayError.Code
    ) throws {
        let error = GatewayError(upstreamEvent: try JSONValue(parsing: Array(body.utf8)))
        #expect(error?.code == code)
    }

    @Test(arguments: [
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"error":null}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"error":{}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"error":""}"#,
        #"{"choices":[],"usage":{"prompt_tokens":1}}"#,
        #"{"object":"list","data":[{"object":"embedding","embedding":[1]}],"error":false}"#,
        #"{"type":"ping"}"#,
    ])
    func `D20: an answer is not an error because it has a member of that name`(body: String) throws {
        #expect(GatewayError(upstreamEvent: try JSONValue(parsing: Array(body.utf8))) == nil)
    }

    @Test(arguments: [
        ("see http://10.0.0.7:8000/v1/chat for more", "see [address] for more"),
        ("connect to 192.168.3.4:8000 failed", "connect to [address] failed"),
        ("engine at http://vllm-3/v1 says no", "engine at [address] says no"),
        ("https://user:pw@engine.example.com/v1 says no", "[address] says no"),
        ("http://engine.svc.cluster.local says no", "[address] says no"),
        ("localhost:8000 and [::1]:8000", "[address] and [address]"),
        ("read https://platform.openai.com/docs/errors.", "read https://platform.openai.com/docs/errors."),
        ("temperature must be 0.5, ratio 1:2", "temperature must be 0.5, ratio 1:2"),
        ("a\u{1B}[31mred\u{7}\u{202E}x", "a [31mred x"),
        ("bad value\nTraceback (most recent call last):\n  File", "bad value"),
    ])
    func `D19: what is shown has no addresses, control characters and stack traces`(text: String, shown: String) {
        let body = JSONValue.object([JSONMember("error", .string(text))]).serialized()
        let error = GatewayError(upstreamStatus: 400, headers: HTTPHeaderBlock(bytes: []), body: body)
        #expect(error.message == shown)
    }

    @Test func `D19: a long text is cut between two characters`() {
        let text = String(repeating: "é", count: 5000)
        let body = JSONValue.object([JSONMember("error", .string("x" + text))]).serialized()
        let error = GatewayError(upstreamStatus: 400, headers: HTTPHeaderBlock(bytes: []), body: body)
        #expect(error.message.hasSuffix("é…"))
        #expect(error.message.utf8.count <= 4099)
    }

    @Test(arguments: [
        ("text/event-stream", AnswerForm.events), ("Text/Event-Stream;charset=utf-8", .events),
        ("TEXT/EVENT-STREAM ; x=y", .events), ("application/json", .json), ("", .json),
    ])
    func `D18: media types are compared without regard to case and parameters`(type: String, form: AnswerForm) {
        #expect(AnswerForm(contentType: type) == form)
    }

    @Test(arguments: [
        ("{\"a\"", AnswerForm.Finding.form(.json)), (" \r\n[", .form(.json)), ("\u{FEFF}{", .form(.json)),
        ("data: x", .form(.events)), ("data", .needsMore), ("\u{FEFF}\n\nevent: x", .form(.events)),
        (": ping", .form(.events)), ("id:1", .form(.events)), ("retry: 5", .form(.events)), ("ret", .needsMore),
        ("", .needsMore), ("\n ", .needsMore), ("Internal error", .neither), ("database: x", .neither),
        ("<html>", .neither),
    ])
    func `D18: the first bytes tell the form of an answer`(bytes: String, finding: AnswerForm.Finding) {
        #expect(AnswerForm.look(at: Array(bytes.utf8)).finding == finding)
    }
}

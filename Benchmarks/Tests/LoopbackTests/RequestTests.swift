import MockEngine
import Testing

@Suite struct RequestTests {
    private let defaults = StreamShape(events: 50, rate: 50)

    private func request(_ text: String) -> Request? {
        request(Array(text.utf8))
    }

    private func request(_ bytes: [UInt8]) -> Request? {
        bytes.withUnsafeBytes { Request($0, defaults: defaults) }
    }

    private func post(_ body: String) -> String {
        "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func `A request is read only when it is whole`() {
        let whole = post("{\"model\":\"m\"}")
        let bytes = Array(whole.utf8)
        for length in bytes.indices { #expect(request(Array(bytes.prefix(length))) == nil) }
        #expect(request(whole + "GET / HTTP/1.1")?.length == whole.utf8.count)
    }

    @Test(arguments: [
        (#"{"model":"m","messages":[{"content":"a]}\"["}],"stream":true}"#, #"[{"content":"a]}\"["}]"#),
        (#"{"messages" : [[1],{"a":[]}] }"#, #"[[1],{"a":[]}]"#), (#"{"messages":[{"cut""#, #"[{"cut""#), ("{}", ""),
    ])
    func `The prompt is the value of messages`(body: String, prompt: String) {
        Array(post(body).utf8).withUnsafeBytes { bytes in
            let found = Request(bytes, defaults: defaults)?.prompt(in: bytes)
            #expect(found.map { String(decoding: $0, as: UTF8.self) } == prompt)
        }
    }

    @Test(arguments: ["{\"stream\":true}", "{\"stream\" : true,\"stream_options\":{}}"])
    func `Streams are recognised`(body: String) {
        guard case .stream? = request(post(body))?.wanted else {
            Issue.record("not a stream")
            return
        }
    }

    @Test(arguments: ["{\"stream\":false}", "{\"stream_options\":{\"include_usage\":true}}"])
    func `Whole answers are recognised`(body: String) {
        guard case .chat? = request(post(body))?.wanted else {
            Issue.record("not a whole answer")
            return
        }
    }

    @Test func `A stream may ask for its shape`() {
        let body = "{\"stream\":true,\"max_tokens\": 7,\"user\":\"rate=500\"}"
        guard case .stream(let shape, _)? = request(post(body))?.wanted else {
            Issue.record("not a stream")
            return
        }
        #expect(shape.events == 7)
        #expect(shape.interval == 2_000_000)
    }
}

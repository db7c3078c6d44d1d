// Workers over HTTP: listed, added, changed, removed, and what is refused.

import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import Testing

@Suite("Worker routes", .timeLimit(.minutes(1)))
struct WorkerRouteTests {
    private func request(_ method: String, _ path: String, _ body: String? = nil, headers: [String] = []) -> String {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers
        if let body {
            lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
        }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    /// Waits until a request has an answer that contains a text.
    private func wait(for text: String, _ server: TestServer, _ request: String) async throws -> String {
        let end = ContinuousClock.now + .seconds(20)
        while true {
            let body = try await server.once(request).body
            if body.contains(text) || ContinuousClock.now > end { return body }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func `A worker's life: added, found ready, changed, drained, removed`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["org/mock"]))
        defer { engine.stop() }
        let gateway = Gateway(groups: [])
        let running = Task { try await gateway.run() }
        defer { running.cancel() }
        let id = try WorkerAddress(engine.url).id
        try await withServer(gateway) { server in
            #expect(try await server.once(request("GET", "/workers")).body == #"{"object":"list","data":[]}"#)
            #expect(try await server.once(request("GET", "/readiness")).status == 503)
            let body = #"{"url":"\#(engine.url)","weight":2,"priority":1,"labels":{"zone":"a"}}"#
            let added = try await server.once(request("POST", "/workers", body))
            #expect(added.status == 202)
            #expect(added.body.contains(#""id":"\#(id)""#))
            #expect(added.header("location") == "/workers/\(id)")
            #expect(try await server.once(request("POST", "/workers", body)).status == 409)

            let ready = try await wait(for: #""state":"ready""#, server, request("GET", "/workers/\(id)"))
            #expect(ready.contains(#""models":["org/mock"]"#))
            #expect(ready.contains(#""labels":{"zone":"a"}"#))
            #expect(ready.contains(#""eligible":true"#))
            #expect(try await server.once(request("GET", "/readiness")).status == 200)
            #expect(try await server.once(request("GET", "/v1/models")).body.contains(#""id":"org/mock""#))

            let changed = try await server.once(request("PATCH", "/workers/\(id)", #"{"weight":0.5,"draining":true}"#))
            #expect(changed.status == 200)
            #expect(changed.body.contains(#""weight":0.5"#))
            #expect(changed.body.contains(#""state":"draining""#))
            #expect(try await server.once(request("GET", "/readiness")).status == 503)
            #expect(try await server.once(request("PATCH", "/workers/\(id)", #"{"draining":false}"#)).status == 200)
            #expect(try await server.once(request("GET", "/readiness")).status == 200)

            let removed = try await server.once(request("DELETE", "/workers/\(id)?drain=1"))
            #expect(removed.status == 200)
            #expect(try await server.once(request("GET", "/workers/\(id)")).status == 404)
            #expect(try await server.once(request("DELETE", "/workers/\(id)")).status == 404)
        }
    }

    @Test(
        arguments: [
            ("POST", "/workers", "{", 400), ("POST", "/workers", "[]", 400), ("POST", "/workers", "{}", 400),
            ("POST", "/workers", #"{"url":7}"#, 400), ("POST", "/workers", #"{"url":"file:///etc/passwd"}"#, 400),
            ("POST", "/workers", #"{"url":"http://u:p@h"}"#, 400),
            ("POST", "/workers", #"{"url":"http://h","wieght":1}"#, 400),
            ("POST", "/workers", #"{"url":"http://h","weight":-1}"#, 400),
            ("POST", "/workers", #"{"url":"http://h","priority":1.5}"#, 400),
            ("POST", "/workers", #"{"url":"http://h","labels":{"a":1}}"#, 400),
            ("POST", "/workers", #"{"url":"http://h","api_key":"a\r\nb"}"#, 400),
            ("PATCH", "/workers/known", "{}", 400), ("PATCH", "/workers/known", #"{"draining":1}"#, 400),
            ("PATCH", "/workers/known", #"{"weight":1e9}"#, 400), ("PATCH", "/workers/none", #"{"weight":1}"#, 404),
            ("DELETE", "/workers/known?drain=-1", "", 400), ("PUT", "/workers", "{}", 405),
            ("POST", "/workers/known", "{}", 405),
        ]
    )
    func `What cannot be used is refused and changes nothing`(
        _ method: String,
        _ path: String,
        _ body: String,
        _ status: Int
    ) async throws {
        let gateway = Gateway(groups: [])
        try gateway.addWorker(url: "http://known")
        let before = gateway.workers.map(\.id)
        try await withServer(gateway) { server in
            let path = try path.replacing("known", with: WorkerAddress("http://known").id)
            let answer = try await server.once(request(method, path, body))
            #expect(answer.status == status)
            #expect(answer.body.hasPrefix(#"{"error":{"message":"#))
        }
        #expect(gateway.workers.map(\.id) == before)
        #expect(gateway.workers.map(\.weight) == [1])
    }

    @Test func `A body that does not say that it is JSON is refused: a form on a foreign page can send no other`()
        async throws
    {
        try await withServer(Gateway(groups: [])) { server in
            let body = #"{"url":"http://h"}"#
            let head = "POST /workers HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
            let text = head + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            let answer = try await server.once(text)
            #expect(answer.status == 415)
        }
    }

    @Test func `A key is needed if there are keys`() async throws {
        try await withServer(Gateway(groups: []), options: ServerOptions(apiKeys: ["secret"])) { server in
            let refused = [
                request("GET", "/workers"), request("GET", "/workers/x"), request("DELETE", "/workers/x"),
                request("POST", "/workers", #"{"url":"http://h"}"#),
                request("PATCH", "/workers/x", #"{"weight":1}"#),
            ]
            for request in refused {
                let answer = try await server.once(request)
                #expect(answer.status == 401)
            }
            let list = try await server.once(
                request("GET", "/workers", headers: ["Authorization: Bearer secret"])
            )
            #expect(list.status == 200)
        }
    }
}

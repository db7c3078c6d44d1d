// The article about workers, held against the server: every route, every field, every member of the answers.

import Foundation
import GatewayWire
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import Testing

@Suite("The article about workers", .timeLimit(.minutes(1)))
struct WorkerDocumentationTests {
    private let page: String

    init() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/ModelGateway/Documentation.docc/Workers.md")
        page = try String(contentsOf: sources, encoding: .utf8)
    }

    private func request(_ method: String, _ path: String, _ body: String = "{}") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// The names in backticks in the first cells of the tables.
    private var firstCells: Set<String> {
        var names: Set<String> = []
        for line in page.split(separator: "\n") where line.hasPrefix("| `") {
            let cell = line.dropFirst(2).prefix { $0 != "|" }
            for (index, part) in cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            where index % 2 == 1 {
                names.insert(String(part))
            }
        }
        return names
    }

    @Test func `It names every route that there is and no other`() async throws {
        try await withServer(Gateway(groups: [])) { server in
            var routes: Set<String> = []
            for path in ["/workers", "/workers/{id}", "/admin/explain"] {
                // Whatever a path does not take is answered with what it takes.
                let refused = try await server.once(request("PUT", path.replacing("{id}", with: "h:1")))
                #expect(refused.status == 405)
                let allowed = try #require(refused.header("allow")).split(separator: ",")
                let methods = allowed.map { $0.filter { !$0.isWhitespace } }
                routes.formUnion(methods.filter { !["HEAD", "OPTIONS"].contains($0) }.map { "\($0) \(path)" })
            }
            #expect(firstCells.filter { $0.contains("/") && $0.contains(" ") } == routes)
        }
    }

    @Test func `It names every field that a request may have`() async throws {
        let gateway = Gateway(groups: [])
        try gateway.addWorker(url: "http://known:1")
        try await withServer(gateway) { server in
            let known = try WorkerAddress("http://known:1").id
            for (method, path) in [("POST", "/workers"), ("PATCH", "/workers/\(known)")] {
                let answer = try await server.once(request(method, path, #"{"no_such_field":1}"#))
                let message = try JSONValue(parsing: Array(answer.body.utf8))["error"]?["message"]?.string ?? ""
                let known = message.split(separator: "known are").last ?? ""
                let names = known.split(separator: "'").filter { $0.allSatisfy { $0.isLetter || $0 == "_" } }
                #expect(names.count >= 4)
                for name in names { #expect(firstCells.contains(String(name)), "\(name)") }
            }
        }
    }

    @Test func `It names every member of the answers, and the configured drain deadline`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["m"]))
        defer { engine.stop() }
        let gateway = Gateway(groups: [])
        let running = Task { try await gateway.run() }
        defer { running.cancel() }
        try gateway.addWorker(url: engine.url)
        try await withServer(gateway) { server in
            let end = ContinuousClock.now + .seconds(20)
            while gateway.models.isEmpty, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
            _ = try await gateway.chat(ChatRequest(model: "m", messages: [.user("Hi")]))
            let list = try JSONValue(parsing: Array(try await server.once(request("GET", "/workers")).body.utf8))
            let worker = try #require(list["data"]?.array?.first)
            let deployment = try #require(worker["deployments"]?.array?.first)
            let mode = try #require(deployment["modes"]?["chat"])
            let members = [worker, deployment].flatMap { $0.object ?? [] }.map(\.name)
            #expect(members.count > 12)
            for name in members { #expect(firstCells.contains(name), "\(name)") }
            for member in mode.object ?? [] { #expect(firstCells.contains(member.name), "\(member.name)") }
            #expect(mode["eligible"]?.bool == true && mode["breaker"]?.string == "closed")
        }
        #expect(page.contains("`workers.drain_deadline` (10 minutes)"))
        #expect(Configuration.Workers().drainDeadline == .seconds(600))
    }

    @Test func `DELETE without a time takes the configured one`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["m"]))
        defer { engine.stop() }
        for (deadline, isGone) in [(Duration.zero, true), (.seconds(600), false)] {
            var configuration = Configuration()
            configuration.workers.drainDeadline = deadline
            configuration.workers.health.enabled = false
            let gateway = try Gateway(configuration: configuration)
            let running = Task { try await gateway.run() }
            defer { running.cancel() }
            let worker = try gateway.addWorker(url: engine.url)
            let end = ContinuousClock.now + .seconds(20)
            while gateway.models.isEmpty, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
            let script = Script.chatStream("One two three.")
            engine.enqueue(script.stalled(after: script.byteCount - 200))
            let before = engine.requests.count { $0.method == "POST" }
            let call = Task { try await gateway.chat(ChatRequest(model: "m", messages: [.user("Hi")])) }
            while engine.requests.count(where: { $0.method == "POST" }) == before, ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(5))
            }
            try await withServer(gateway) { server in
                let answer = try await server.once(request("DELETE", "/workers/\(worker.id)", ""))
                #expect(answer.status == (isGone ? 200 : 202))
            }
            engine.release()
            _ = try? await call.value
        }
    }
}

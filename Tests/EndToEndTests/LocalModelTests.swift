// The built program with the small model that scripts/setup installs: it really generates, in the terminal and over HTTP.

import Foundation
import ModelGateway
import Testing

#if LlamaCpp

@Suite("The local model", .serialized, .timeLimit(.minutes(10)))
struct LocalModelTests {
    private static let model = "SmolLM2-135M-Instruct.Q4_1"

    @Test func `The model answers in the terminal`() async throws {
        let chat = try BuiltProducts.gateway(
            "chat",
            "--max-tokens",
            "8",
            "--temperature",
            "0",
            "--stats",
            "What is the capital of France?"
        )
        #expect(try await chat.waitForExit(within: .seconds(300)) == 0)
        #expect(chat.output.contains("Paris"))
        let line = /time to first token [0-9.]+ s, [0-9.]+ tokens\/s, [0-9]+ prompt \+ [1-8] completion tokens, .*\n/
        #expect(chat.errors.wholeMatch(of: line) != nil, "no progress in a pipe, only the statistics: \(chat.errors)")
    }

    @Test func `The same seed gives the same answer`() async throws {
        var answers: [String?] = []
        for _ in 0..<2 {
            let chat = try BuiltProducts.gateway(
                "chat",
                "--json",
                "--seed",
                "7",
                "--max-tokens",
                "6",
                input: .text("Name a colour.")
            )
            #expect(try await chat.waitForExit(within: .seconds(300)) == 0)
            let json = try JSONValue(parsing: Array(chat.output.utf8.dropLast()))
            #expect(json["model"]?.string == Self.model)
            let usage = try #require(json["usage"])
            #expect(usage["completion_tokens"]?.int.map { 1...6 ~= $0 } == true)
            answers.append(json["choices"]?.array?.first?["message"]?["content"]?.string)
        }
        #expect(answers[0]?.isEmpty == false)
        #expect(answers[0] == answers[1])
    }

    @Test func `Control-C stops it`() async throws {
        let chat = try BuiltProducts.gateway("chat", "--max-tokens", "2000", "Tell me a very long story.")
        try await chat.waitForOutput { !$0.isEmpty }
        chat.signal(SIGINT)
        #expect(try await chat.waitForExit() == 130)
    }

    @Test func `The model is served over HTTP`() async throws {
        let server = try await RunningServer()
        defer { server.process.signal(SIGKILL) }
        try await server.waitUntilReady()
        let models = try await server.get("/v1/models")
        #expect(models.body.contains(Self.model))

        let whole = try await server.post(
            "/v1/chat/completions",
            #"{"model":"\#(Self.model)","max_tokens":4,"temperature":0,"messages":[{"role":"user","content":"Hi"}]}"#
        )
        #expect(whole.status == 200)
        let json = try JSONValue(parsing: Array(whole.body.utf8))
        #expect(json["usage"]?["completion_tokens"]?.int.map { 1...4 ~= $0 } == true)

        let vectors = try await server.post("/v1/embeddings", #"{"model":"\#(Self.model)","input":["one","two"]}"#)
        let embeddings = try JSONValue(parsing: Array(vectors.body.utf8))
        #expect(embeddings["data"]?.array?.count == 2)
        #expect(embeddings["data"]?.array?.first?["embedding"]?.array?.isEmpty == false)

        let completion = try await server.post(
            "/v1/completions",
            #"{"model":"\#(Self.model)","max_tokens":2,"prompt":"Once upon a"}"#
        )
        #expect(completion.status == 200)
        #expect(try await server.stop() == 0)
    }

    @Test func `C14: threads and the context length can be chosen`() async throws {
        let options = ["--threads", "1", "--context", "64"]
        let long = String(repeating: "word ", count: 100)
        for (prompt, status) in [("Hi", 0), (long, 65)] as [(String, Int32)] {
            let chat = try ChildProcess(
                BuiltProducts.path("gateway"),
                ["chat", "--max-tokens", "2", prompt] + options
            )
            #expect(try await chat.waitForExit(within: .seconds(300)) == status, "\(chat.errors)")
        }
        let server = try await RunningServer("-m", "tiny=\(Self.model)", "--threads", "1", "--context", "64")
        defer { server.process.signal(SIGKILL) }
        try await server.waitUntilReady()
        for (prompt, status) in [("Hi", 200), (long, 400)] {
            let reply = try await server.post(
                "/v1/chat/completions",
                #"{"model":"tiny","max_tokens":2,"messages":[{"role":"user","content":"\#(prompt)"}]}"#
            )
            #expect(reply.status == status, "\(reply.body)")
        }
        #expect(try await server.stop() == 0)
    }

    @Test func `A running answer finishes when the server drains`() async throws {
        let server = try await RunningServer()
        defer { server.process.signal(SIGKILL) }
        try await server.waitUntilReady()
        let response = try await server.open(
            "/v1/chat/completions",
            #"{"model":"\#(Self.model)","max_tokens":12,"stream":true,"messages":[{"role":"user","content":"Hi"}]}"#
        )
        #expect(try await response.body.next() != nil)
        server.process.signal(SIGTERM)
        let body = try await response.body.text()
        #expect(body.hasSuffix("data: [DONE]\n\n"), "\(body)")
        #expect(try await server.process.waitForExit() == 0)
    }

    @Test func `A missing model is reported`() async throws {
        let directory = try TemporaryDirectory()
        let chat = try BuiltProducts.gateway("chat", "Hi", environment: ["XDG_DATA_HOME": directory.path])
        #expect(try await chat.waitForExit() == 69)
        #expect(chat.errors.contains("scripts/setup"))
    }

    @Test(arguments: [(0, "empty"), (100_000, "truncated")])
    func `A damaged model is reported`(_ bytes: Int, _ name: String) async throws {
        let directory = try TemporaryDirectory()
        let home = ProcessInfo.processInfo.environment["XDG_DATA_HOME"] ?? "\(NSHomeDirectory())/.local/share"
        let original = try #require(FileHandle(forReadingAtPath: "\(home)/modelgateway/models/\(Self.model).gguf"))
        let file = try directory.write("\(name).gguf", try original.read(upToCount: bytes) ?? Data())
        let chat = try BuiltProducts.gateway("chat", "-m", file, "Hi")
        #expect(try await chat.waitForExit() == 65)
        #expect(chat.errors.hasPrefix("gateway: ") && chat.errors.contains(file), "\(chat.errors)")
        let server = try BuiltProducts.gateway("serve", "--port", "0", "--model", "broken=\(file)")
        #expect(try await server.waitForExit() == 65)
        #expect(server.errors.contains(file))
    }
}

#else

@Suite("Without the local backend")
struct NoLocalModelTests {
    @Test func `The program says how to get the model`() async throws {
        let chat = try BuiltProducts.gateway("chat", "Hi")
        #expect(try await chat.waitForExit() == 69)
        #expect(chat.errors.contains("scripts/build"))
    }
}

#endif

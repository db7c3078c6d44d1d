// The example programs: each is run as a newcomer would, and what links into them is looked at.

import Foundation
import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("Examples", .timeLimit(.minutes(5)))
struct ExampleTests {
    @Test func `CommandLineChat remembers`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(models: ["tiny"], text: "Hello."))
        let chat = try ChildProcess(
            BuiltProducts.path("CommandLineChat"),
            ["\(engine.url)/v1"],
            input: .text("Hi\nAgain\n")
        )
        #expect(try await chat.waitForExit() == 0, "\(chat.errors)")
        #expect(chat.output == "Hello.\nHello.\n")
        let body = try JSONValue(parsing: try #require(engine.requests.last).body)
        #expect(body["model"]?.string == "tiny")
        #expect(body["messages"]?.array?.map { $0["content"]?.string } == ["Hi", "Hello.", "Again"])
    }

    @Test func `CommandLineChat is short`() throws {
        let path = BuiltProducts.source("../../Examples/CommandLineChat/main.swift")
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count { !$0.hasPrefix("//") } <= 25)
    }

    @Test func `SemanticSearch puts the nearest first`() async throws {
        // The question points where the third document does, and away from the first.
        let engine = try ScriptedEngine { request in
            request.path == "/v1/models"
                ? .modelList(["tiny"])
                : .embeddings([[1, 0], [-1, 0], [0, 1], [0.9, 0.1], [0.5, 0.5]])
        }
        let search = try ChildProcess(
            BuiltProducts.path("SemanticSearch"),
            ["When is it sent?", "\(engine.url)/v1"]
        )
        #expect(try await search.waitForExit() == 0, "\(search.errors)")
        let lines = search.output.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.first?.hasSuffix("Parcels go out on the day of the order.") == true)
        #expect(lines.last?.hasSuffix("Refunds are paid within five days of the return.") == true)
    }

    @Test func `The web app has its own routes and the gateway's`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Frogs jump."))
        let port = try ScriptedEngine().port
        let app = try ChildProcess(
            BuiltProducts.path("HummingbirdApp"),
            ["\(engine.url)/v1", "mock", "\(port)"]
        )
        defer { app.signal(SIGKILL) }
        try await app.waitForErrors { $0.contains("started and listening") }
        let transport = try CurlTransport()
        func get(_ path: String) async throws -> String {
            let request = HTTPTransportRequest(method: "GET", url: "http://127.0.0.1:\(port)\(path)")
            let response = try await transport.send(request)
            return try await response.body.text()
        }
        #expect(try await get("/haiku/frogs") == "Frogs jump.")
        #expect(try await get("/v1/models").contains(#""id":"assistant""#))
        app.signal(SIGTERM)
        #expect(try await app.waitForExit() == 0)
    }

    @Test func `A program of the library alone links neither NIO nor llama.cpp`() throws {
        func contains(_ program: String, _ symbol: String) throws -> Bool {
            let binary = try Data(contentsOf: URL(fileURLWithPath: BuiltProducts.path(program)), options: .alwaysMapped)
            return binary.range(of: Data(symbol.utf8)) != nil
        }
        // Mangled names of the module, and a function of the library that every user of it calls.
        #expect(try contains("HummingbirdApp", "$s7NIOCore"))
        #expect(try !contains("CommandLineChat", "$s7NIOCore"))
        #expect(try !contains("CommandLineChat", "$s17ModelGatewayLlama"))
        #expect(try !contains("CommandLineChat", "llama_decode"))
        #if LlamaCpp
        #expect(try contains("gateway", "llama_decode"))
        #endif
    }
}

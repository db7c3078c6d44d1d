// `gateway chat` on a terminal: a conversation with history, and what Ctrl-C and Ctrl-D do in it.

import ModelGateway
import ModelGatewayTesting
import Testing

@Suite("gateway chat on a terminal", .timeLimit(.minutes(5)))
struct ConversationTests {
    private func start(_ engine: ScriptedEngine) async throws -> ChildProcess {
        let chat = try BuiltProducts.gateway(
            "chat",
            "--base-url",
            engine.url,
            "-m",
            "mock",
            input: .terminal
        )
        try await chat.waitForOutput { $0.contains("> ") }
        return chat
    }

    @Test func remembersWhatWasSaid() async throws {
        let engine = try ScriptedEngine()
        engine.enqueue(.chatStream("Nice to meet you."), .chatStream("Your name is Ada."))
        let chat = try await start(engine)
        chat.type("I am Ada.\n")
        try await chat.waitForOutput { $0.contains("Nice to meet you.\r\n> ") }
        chat.type("Who am I?\n")
        try await chat.waitForOutput { $0.contains("Your name is Ada.\r\n> ") }
        chat.type("/exit\n")
        #expect(try await chat.waitForExit() == 0)
        let body = try JSONValue(parsing: try #require(engine.requests.last).body)
        #expect(
            body["messages"]?.array?.map { $0["content"]?.string } == ["I am Ada.", "Nice to meet you.", "Who am I?"]
        )
    }

    @Test func forgetsOnDemand() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Hello."))
        let chat = try await start(engine)
        chat.type("First.\n")
        try await chat.waitForOutput { $0.contains("Hello.\r\n> ") }
        chat.type("/clear\n")
        try await chat.waitForOutput { $0.contains("forgotten") }
        chat.type("Second.\n")
        try await engine.waitForRequests(2)
        chat.type("/exit\n")
        try await chat.waitForExit()
        let body = try JSONValue(parsing: try #require(engine.requests.last).body)
        #expect(body["messages"]?.array?.map { $0["content"]?.string } == ["Second."])
    }

    @Test func controlDLeaves() async throws {
        let engine = try ScriptedEngine()
        let chat = try await start(engine)
        chat.type("\u{4}")
        #expect(try await chat.waitForExit() == 0)
    }

    @Test func controlCLeavesWhenNothingIsBeingSaid() async throws {
        let engine = try ScriptedEngine()
        let chat = try await start(engine)
        chat.type("\u{3}")
        #expect(try await chat.waitForExit() == 130)
    }

    @Test func controlCStopsAnAnswerAndTheConversationGoesOn() async throws {
        let engine = try ScriptedEngine()
        let script = Script.chatStream("One two three.")
        engine.enqueue(script.stalled(after: script.byteCount - 200), .chatStream("Gladly."))
        let chat = try await start(engine)
        chat.type("Count.\n")
        try await chat.waitForOutput { $0.contains("One two") }
        chat.type("\u{3}")
        try await chat.waitForOutput { $0.hasSuffix("> ") && $0.contains("One two") }
        try await engine.waitForClientClose(connection: 0)
        chat.type("Go on.\n")
        try await chat.waitForOutput { $0.contains("Gladly.\r\n> ") }
        chat.type("\u{4}")
        #expect(try await chat.waitForExit() == 0)
        let body = try JSONValue(parsing: try #require(engine.requests.last).body)
        let said = body["messages"]?.array?.compactMap { $0["content"]?.string }
        #expect(said?.count == 3 && said?[1].hasPrefix("One two") == true)
    }

    @Test func aFailureTakesTheQuestionBack() async throws {
        let engine = try ScriptedEngine()
        engine.enqueue(.openAIError(status: 400, message: "That is not allowed."), .chatStream("Fine."))
        let chat = try await start(engine)
        chat.type("Bad.\n")
        try await chat.waitForOutput { $0.contains("gateway: That is not allowed.\r\n> ") }
        chat.type("Good.\n")
        try await chat.waitForOutput { $0.contains("Fine.\r\n> ") }
        chat.type("/exit\n")
        #expect(try await chat.waitForExit() == 0)
        let body = try JSONValue(parsing: try #require(engine.requests.last).body)
        #expect(body["messages"]?.array?.map { $0["content"]?.string } == ["Good."])
    }
}

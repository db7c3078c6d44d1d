// `gateway chat` on a terminal: a conversation with history, and what Ctrl-C and Ctrl-D do in it.

import ModelGateway
import ModelGatewayTesting
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

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

    @Test func `The conversation remembers what was said`() async throws {
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

    @Test func `The conversation forgets on demand`() async throws {
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

    @Test func `Control-D leaves`() async throws {
        let engine = try ScriptedEngine()
        let chat = try await start(engine)
        chat.type("\u{4}")
        #expect(try await chat.waitForExit() == 0)
    }

    // MARK: C14

    @Test func `C14: one Ctrl-C where nothing is being said does not leave, a second one does`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Hello."))
        let chat = try await start(engine)
        chat.type("\u{3}")
        try await chat.waitForOutput { $0.hasSuffix("(Press Ctrl-C again or Ctrl-D, or type /exit, to leave.)\r\n> ") }
        chat.type("Hi.\r")
        try await chat.waitForOutput { $0.hasSuffix("Hello.\r\n> ") }
        chat.type("half a question")
        try await chat.waitForOutput { $0.hasSuffix("half a question") }
        chat.type("\u{3}")
        try await chat.waitForOutput { $0.hasSuffix("question^C\r\n> ") }
        chat.type("\u{3}")
        try await chat.waitForOutput { $0.matches(of: /again or/).count == 2 && $0.hasSuffix("> ") }
        #expect(chat.isRunning)
        chat.type("\u{3}")
        #expect(try await chat.waitForExit() == 130)
        #expect(chat.output.contains(Self.pasteOff))
        #expect(engine.requests.count == 1)
    }

    @Test func `C14: pasted lines are one question`() async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Hello."))
        let chat = try await start(engine)
        #expect(chat.output.contains(Self.pasteOn))
        chat.type("\u{1B}[200~first\r/exit\nthird 👩‍🚀\r\n\u{1B}[201~")
        try await chat.waitForOutput { $0.contains("> first\r\n. /exit\r\n. third 👩‍🚀\r\n. ") }
        #expect(engine.requests.isEmpty)
        chat.type("\r")
        try await chat.waitForOutput { $0.hasSuffix("Hello.\r\n> ") }
        chat.type("\u{4}")
        #expect(try await chat.waitForExit() == 0)
        #expect(chat.output.hasSuffix(Self.pasteOff))
        #expect(engine.requests.count == 1)
        let body = try JSONValue(parsing: try #require(engine.requests.first).body)
        #expect(body["messages"]?.array?.first?["content"]?.string == "first\n/exit\nthird 👩‍🚀")
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGSEGV])
    func `C14: the terminal is given back when a signal ends the conversation`(_ signal: Int32) async throws {
        let engine = try ScriptedEngine()
        let chat = try await start(engine)
        chat.signal(signal)
        #expect(try await chat.waitForExit() == 128 + signal)
        #expect(chat.output.hasSuffix(Self.pasteOff))
    }

    private static let edits: [(typed: String, asked: String)] = [
        ("Hellp\u{7F}o\r", "Hello"),
        ("日本誤\u{7F}語\r", "日本語"),
        ("one two three\u{17}\u{17}2 3\r", "one 2 3"),
        ("all wrong\u{15}right\r", "right"),
        ("no\u{1B}[D\u{1B}[A\u{1B}OHw\r", "now"),
        ("one\\\rtwo\r", "one\ntwo"),
        ("a\tb\r", "a\tb"),
        ("\(String(repeating: "x", count: 100))\(String(repeating: "\u{7F}", count: 98))\r", "xx"),
    ]

    @Test(arguments: edits)
    func `C14: what is typed can be corrected`(_ typed: String, _ asked: String) async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Hello."))
        let chat = try await start(engine)
        chat.type(typed)
        try await engine.waitForRequests(1)
        chat.type("\u{4}")
        #expect(try await chat.waitForExit() == 0)
        let body = try JSONValue(parsing: try #require(engine.requests.first).body)
        #expect(body["messages"]?.array?.first?["content"]?.string == asked)
    }

    @Test(arguments: ["/exti", "/model other", "/", "/clear all"])
    func `C14: an unknown command is answered with the list of commands`(_ line: String) async throws {
        let engine = try ScriptedEngine()
        let chat = try await start(engine)
        chat.type(line + "\r")
        try await chat.waitForOutput { $0.contains("There is no command '\(line)'.") && $0.hasSuffix("> ") }
        for command in ["/clear", "/help", "/exit", "Put a space before"] { #expect(chat.output.contains(command)) }
        chat.type("/exit \r")
        #expect(try await chat.waitForExit() == 0)
        #expect(engine.requests.isEmpty)
    }

    @Test(arguments: [" /exti", "/etc/hosts has what?", "// is a comment in which languages?"])
    func `C14: what only looks like a command is asked`(_ line: String) async throws {
        let engine = try ScriptedEngine(respond: ScriptedEngine.openAI(text: "Hello."))
        let chat = try await start(engine)
        chat.type(line + "\r")
        try await engine.waitForRequests(1)
        chat.type("\u{4}")
        #expect(try await chat.waitForExit() == 0)
        let body = try JSONValue(parsing: try #require(engine.requests.first).body)
        #expect(body["messages"]?.array?.first?["content"]?.string == line)
    }

    private static let pasteOn = "\u{1B}[?2004h"
    private static let pasteOff = "\u{1B}[?2004l"

    @Test func `Control-C stops an answer, and the conversation goes on`() async throws {
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

    @Test func `A failure takes the question back`() async throws {
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

// `gateway chat`: one question and its answer, or a conversation on a terminal.

import ArgumentParser
import Logging
import ModelGateway

struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Talk to a model.",
        discussion: """
            The answer is printed as it arrives. Piped text follows the prompt of the command line if it \
            begins within two seconds. Without a prompt, a terminal opens a conversation. The default model is the small one \
            that scripts/setup installs.

              gateway chat "Why is the sky blue?"
              git diff | gateway chat "Write a commit message for this:"
              gateway chat -m ~/models/qwen3.gguf
              gateway chat --base-url http://127.0.0.1:8000/v1 "Hi"
            """
    )

    @Argument(help: "What to ask. Without it: standard input, or a conversation on a terminal.")
    var prompt: String?

    @OptionGroup var model: ChatModelOptions

    @Option(help: ArgumentHelp("Instructions that come before the conversation.", valueName: "text"))
    var system: String?

    @Option(help: ArgumentHelp("The randomness of the answer, from 0 and usually up to 2.", valueName: "number"))
    var temperature: Double?

    @Option(help: ArgumentHelp("The maximum length of the answer, in tokens.", valueName: "count"))
    var maxTokens: Int?

    @Option(help: ArgumentHelp("A seed for repeatable answers, if the model supports it.", valueName: "number"))
    var seed: Int?

    @Flag(help: "Print the whole response object instead of the text.")
    var json = false

    @Flag(help: "Print the speed and the number of tokens on standard error.")
    var stats = false

    func validate() throws {
        if let temperature, !(temperature >= 0 && temperature.isFinite) {
            throw ValidationError("--temperature must not be negative.")
        }
        if let maxTokens, maxTokens < 1 { throw ValidationError("--max-tokens must be at least 1.") }
    }

    func run() async throws {
        let input = StandardInput()
        let question = try await question(input)
        if question == nil, json { throw CommandFailure(.usage, "--json needs a prompt; a conversation has none") }
        let interrupts = await Interrupts.install()
        let session = try await interrupts.cancelling { [self] in try await open() }
        guard let question else {
            return try await Conversation(session: session, interrupts: interrupts, input: input).run()
        }
        try await answer(question, in: session, interrupts)
    }

    /// The prompt: the one of the command line, then the piped one. Nil asks for a conversation.
    private func question(_ input: StandardInput) async throws -> String? {
        let parts = [prompt ?? "", try await piped(input)]
        let text = parts.filter { part in part.contains { !$0.isWhitespace } }.joined(separator: "\n\n")
        guard text.isEmpty else { return text }
        if input.isTerminal, prompt == nil { return nil }
        throw CommandFailure(.usage, "the prompt is empty; give one: gateway chat \"Why is the sky blue?\"")
    }

    /// What comes through a pipe; nothing on a terminal.
    private func piped(_ input: StandardInput) async throws -> String {
        if input.isTerminal { return "" }
        guard prompt == nil else {
            // What is asked on the command line does not wait for a pipe that only happens to be there.
            return try await input.readIfItComes()
        }
        return try await input.readAll()
    }

    /// Makes everything ready for the first question.
    private func open() async throws -> ChatSession {
        let model = try await model.resolved()
        let logger = Logger(label: "gateway") { _ in SwiftLogNoOpLogHandler() }
        let backend = LocalBackend(logger: logger)
        let gateway = try Gateway(configuration: model.configuration, providers: backend.catalog)
        if !gateway.models.contains(where: { $0.id == model.name }) {
            try await WorkerSearch.run(gateway, configuration: model.configuration, logger: logger)
        }
        let name: String
        if let chosen = model.name {
            name = chosen
        } else {
            name = try ChatModel.only(of: gateway.models.map(\.id), place: "the configuration")
        }
        try await backend.load(model.deployments(of: name))
        return ChatSession(
            gateway: gateway,
            model: name,
            system: system,
            sampling: Sampling(temperature: temperature, seed: seed, maxTokens: maxTokens),
            showsStatistics: stats
        )
    }

    private func answer(_ question: String, in session: ChatSession, _ interrupts: Interrupts) async throws {
        let isWhole = json
        let answer = try await interrupts.cancelling {
            try await session.answer([.user(question)], printing: !isWhole)
        }
        if isWhole, !answer.isInterrupted {
            let bytes = answer.response.openAIChat.serialized()
            try await StandardStream.output.write(String(decoding: bytes, as: UTF8.self) + "\n")
        }
        if answer.isInterrupted { throw CommandFailure(.interrupted, "") }
    }
}

// The root of the command line: finds the subcommand, runs it, and turns what went wrong into one line and a status.

import ArgumentParser
import GatewaySystem
import ModelGateway

/// The program. Its first thread only waits: with an asynchronous `main` it would end, for which the system reads the
/// tables of the whole program that stacks are unwound with.
@main
enum Program {
    static func main() {
        StreamDescriptor.fillClosedStandardStreams()
        Task.detached { await GatewayCommand.main() }
        ThisProcess.waitForever()
    }
}

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "One interface to many language models: local ones, self-hosted ones and hosted APIs.",
        discussion: """
            Talk to a model:   gateway chat "Why is the sky blue?"
            Serve models:      gateway serve --config gateway.toml
            Ask the router:    gateway route explain --config gateway.toml -m assistant "Hi"

            Exit status: 0 success, 64 wrong usage, 65 bad input, 66 a file cannot be read, 69 not available now, \
            70 failure, 74 output failed, 77 not allowed, 78 wrong configuration, 130 interrupted.
            """,
        version: version,
        subcommands: [ChatCommand.self, ServeCommand.self, RouteCommand.self]
    )

    static let version = "0.1.0"

    static func main() async {
        ThisProcess.ignoreBrokenPipes()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            end(0)
        } catch {
            await leave(after: error)
        }
    }

    private static func leave(after error: any Error) async -> Never {
        if error is OutputClosed { end(0) }
        if let failure = CommandFailure(error) {
            StandardStream.error.writeNow(failure.report)
            end(failure.status.rawValue)
        }
        let code = exitCode(for: error)
        guard !code.isSuccess else {
            // A request for help or for the version.
            do {
                try await StandardStream.output.write(fullMessage(for: error) + "\n")
                end(0)
            } catch let failure {
                await leave(after: failure)
            }
        }
        // The parser says `Error: …` and then how the command is used.
        var text = fullMessage(for: error)
        if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
        StandardStream.error.writeNow("gateway: \(text)\n")
        end(code.rawValue)
    }
}

/// Ends the process without the destructors of C++ globals: a local model may still be computing with them.
private func end(_ status: Int32) -> Never {
    TerminalMode.leave()
    ThisProcess.flush()
    ThisProcess.exit(status)
}

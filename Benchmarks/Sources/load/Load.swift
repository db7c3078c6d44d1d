// load: what clients of a gateway do, on one thread, and how long each step took them.

import ArgumentParser
import Loopback

/// Prints one line of JSON. Durations in it are microseconds.
@main
struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Sends chat completions to 127.0.0.1 and measures the answers.",
        subcommands: [Requests.self, Streams.self]
    )
}

/// What both kinds of load are told.
struct LoadOptions: ParsableArguments {
    @Option(help: "The ports to send to; connections are spread over them.")
    var port: [UInt16]

    @Option(help: "Seconds to begin new requests in.")
    var seconds: Double = 5

    @Option(help: "Length of the prompt in bytes.")
    var promptBytes = 200

    @Option(help: "How many prompts with different beginnings to send in turn.")
    var prompts = 64

    @Option(help: "The model to ask for.")
    var model = "mock"

    func validate() throws {
        guard !port.isEmpty, port.allSatisfy({ $0 > 0 }) else { throw ValidationError("--port must be given") }
        guard (0.01...600).contains(seconds) else { throw ValidationError("--seconds is 0.01 to 600") }
        guard (16...16_777_216).contains(promptBytes) else { throw ValidationError("--prompt-bytes is 16 to 16777216") }
        guard (1...4_096).contains(prompts) else { throw ValidationError("--prompts is 1 to 4096") }
    }
}

struct Requests: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Whole answers: each connection sends its next request when the answer to the last one is complete."
    )

    @OptionGroup var options: LoadOptions

    @Option(help: "How many keep-alive connections.")
    var connections = 32

    func validate() throws {
        guard (1...20_000).contains(connections) else { throw ValidationError("--connections is 1 to 20000") }
    }

    func run() {
        prepareProcess()
        let messages = RequestMessages(options: options, extra: "")
        let run = LoadRun(options: options, connections: connections, ramp: 0, messages: messages, streaming: nil)
        print(run.measure().requestsReport())
    }
}

struct Streams: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Streamed answers: each connection begins its next stream when the last one is complete."
    )

    @OptionGroup var options: LoadOptions

    @Option(help: "How many streams at a time.")
    var streams = 200

    @Option(help: "Content events of each stream.")
    var events = 50

    @Option(help: "Events a second of each stream.")
    var rate = 50

    @Option(help: "Seconds over which the first streams begin; what is measured begins after it.")
    var ramp: Double = 1

    func validate() throws {
        guard (1...20_000).contains(streams) else { throw ValidationError("--streams is 1 to 20000") }
        guard (1...99_999).contains(events) else { throw ValidationError("--events is 1 to 99999") }
        guard (1...100_000).contains(rate) else { throw ValidationError("--rate is 1 to 100000") }
        guard (0...60).contains(ramp) else { throw ValidationError("--ramp is 0 to 60") }
    }

    func run() {
        prepareProcess()
        // `user` is a field of the API that every gateway keeps; the mock engine reads its pace from it.
        let extra = ",\"stream\":true,\"max_tokens\":\(events),\"user\":\"rate=\(rate)\""
        let messages = RequestMessages(options: options, extra: extra)
        let run = LoadRun(options: options, connections: streams, ramp: ramp, messages: messages, streaming: events)
        print(run.measure().streamsReport())
    }
}

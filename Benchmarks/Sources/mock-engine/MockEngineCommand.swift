// mock-engine: an OpenAI-shaped upstream that answers at once or at an exact pace, and costs next to nothing.

import ArgumentParser
import Loopback
import MockEngine

#if canImport(Glibc)
import Glibc
#endif

/// The first line on standard output is `{"ports":[…]}`; after it the engine serves until it is ended.
@main
struct MockEngineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mock-engine",
        abstract: "An OpenAI-shaped upstream on 127.0.0.1 for measuring what stands before it."
    )

    @Option(help: "How many ports to listen on; each looks like one engine.")
    var ports = 2

    @Option(help: "The first of the ports; 0 takes free ones.")
    var firstPort: UInt16 = 0

    @Option(help: "Content events of a stream whose request has no max_tokens.")
    var events = 50

    @Option(help: "Content events a second of one stream; a request may ask for another in \"user\":\"rate=N\".")
    var rate = 50

    @Option(help: "The model id to answer with.")
    var model = "mock"

    @Option(
        help: "Tokens of prompt (four bytes each) that an engine reads in a second, one prompt at a time; 0: at once."
    )
    var prefillRate = 0

    @Option(help: "Tokens in each engine's prefix cache, in blocks of 16; what is in it need not be read again.")
    var cacheTokens = 16

    @Flag(help: "Print the paths that have no answer.")
    var verbose = false

    func validate() throws {
        guard (1...64).contains(ports) else { throw ValidationError("--ports is 1 to 64") }
        guard (1...99_999).contains(events) else { throw ValidationError("--events is 1 to 99999") }
        guard (1...100_000).contains(rate) else { throw ValidationError("--rate is 1 to 100000") }
        guard (0...1_000_000_000).contains(prefillRate) else {
            throw ValidationError("--prefill-rate is 0 to 1000000000")
        }
        guard (16...100_000_000).contains(cacheTokens) else {
            throw ValidationError("--cache-tokens is 16 to 100000000")
        }
    }

    func run() throws {
        prepareProcess()
        var listeners: [Socket] = []
        var bound: [UInt16] = []
        for index in 0..<ports {
            let wanted = firstPort == 0 ? 0 : firstPort + UInt16(index)
            guard let (socket, port) = Socket.listening(port: wanted) else {
                throw ValidationError("cannot listen on 127.0.0.1:\(wanted): \(String(cString: strerror(errno)))")
            }
            listeners.append(socket)
            bound.append(port)
        }
        print("{\"ports\":[\(bound.map(String.init).joined(separator: ","))]}")
        fflush(nil)
        let engine = Engine(
            listeners: listeners,
            model: model,
            defaults: StreamShape(events: events, rate: rate),
            prefill: prefillRate > 0 ? PrefillShape(cacheTokens: cacheTokens, tokensPerSecond: prefillRate) : nil,
            verbose: verbose
        )
        engine.serve()
    }
}

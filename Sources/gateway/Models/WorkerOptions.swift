// The options that name workers and how one of them is chosen, for every command that takes them.

import ArgumentParser
import ModelGateway

/// The workers of the command line.
struct WorkerOptions: ParsableArguments {
    @Option(
        name: .customLong("worker-urls"),
        parsing: .upToNextOption,
        help: ArgumentHelp("OpenAI-compatible servers; their models are found at /v1/models.", valueName: "url")
    )
    var urls: [String] = []

    @Option(
        help: ArgumentHelp(
            "How a worker is chosen for each call: \(Configuration.Policy.names.joined(separator: ", ")) (default: "
                + "round_robin). Models of a configuration have their own.",
            valueName: "name"
        )
    )
    var policy: String?

    func validate() throws {
        for url in urls {
            do { _ = try BaseURL(url) } catch { throw ValidationError("--worker-urls: \(error.message)") }
        }
        if let policy, !Configuration.Policy.names.contains(policy) {
            let names = Configuration.Policy.names.joined(separator: ", ")
            throw ValidationError("There is no policy '\(policy)'. Choose one of: \(names).")
        }
    }

    /// Lets the options win over what the file and the environment say.
    func apply(to configuration: inout Configuration) {
        if !urls.isEmpty { configuration.workers.urls = urls }
        if let policy { configuration.workers.policy.choose(policy) }
    }
}

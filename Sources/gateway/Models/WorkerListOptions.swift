// The options that name workers and how one of them is chosen, forevery command that takes them.

import ArgumentParser
import ModelGateway

/// The workers of the command line.
struct WorkerListOptions: ParsableArguments {
    @Option(
        name: .customLong("worker-urls"),
        parsing: .upToNextOption,
        help: ArgumentHelp("OpenAI-compatible servers; their models are found at /v1/models.", valueName: "url")
    )
    var urls: [String] = []

    @Option(
        help: ArgumentHelp(
            "How a worker is chosen for each call: \(PolicyCatalog.standard.names.joined(separator: ", ")) (default: "
                + "round_robin). Models of a configuration have their own.",
            valueName: "name"
        )
    )
    var policy: String?

    func validate() throws {
        for url in urls {
            do { _ = try BaseURL(url) } catch { throw ValidationError("--worker-urls: \(error.message)") }
        }
        if let policy {
            do { _ = try PolicyCatalog.standard.policy(policy) } catch { throw ValidationError(error.message) }
        }
    }

    /// Lets the options win over what the file and the environment say.
    func apply(to configuration: inout Configuration) throws {
        if !urls.isEmpty { configuration.workers.urls = urls }
        // The policy that the configuration has already keeps its options.
        if let policy, policy != configuration.workers.policy.name {
            configuration.workers.policy = try PolicyCatalog.standard.policy(policy)
        }
    }
}

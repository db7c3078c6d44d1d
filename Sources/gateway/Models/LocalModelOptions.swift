// The options that say how models in GGUF files are run, forevery command that runs some.

import ArgumentParser
import ModelGateway

struct LocalModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The number of threads for a model in a GGUF file (default: one per core).",
            valueName: "count"
        )
    )
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            "The context length of a model in a GGUF file, in tokens (default: the model's own).",
            valueName: "tokens"
        )
    )
    var context: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024.") }
        if let context, !(1...10_000_000).contains(context) {
            throw ValidationError("--context must be 1 to 10000000.")
        }
    }

    /// Lets the options win over what the file says of its local models.
    func apply(to configuration: inout Configuration) throws(CommandFailure) {
        guard threads != nil || context != nil else { return }
        var isUsed = false
        for name in Array(configuration.localModels.keys) {
            guard var model = configuration.localModels[name] else { continue }
            set(&model.llama, &isUsed)
            configuration.localModels[name] = model
        }
        for model in configuration.models.indices {
            for index in configuration.models[model].deployments.indices
            where configuration.models[model].deployments[index].path != nil {
                set(&configuration.models[model].deployments[index].llama, &isUsed)
            }
        }
        if !isUsed {
            throw CommandFailure(.usage, "--threads and --context are for models in GGUF files, and there is none here")
        }
    }

    private func set(_ options: inout Configuration.LlamaOptions, _ isUsed: inout Bool) {
        if let threads { options.threads = threads }
        if let context { options.contextLength = context }
        isUsed = true
    }
}

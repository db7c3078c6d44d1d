// The local backend in the program: makes the providers of GGUF files and loads them where a person can see it.

import GatewaySystem
import GatewayWire
import Logging
import ModelGateway
import ModelGatewayLlama
import Synchronization

/// The local models of the process.
final class LocalBackend: Sendable {
    private struct Entry: Sendable {
        let deployment: String
        let provider: LlamaProvider
    }

    private let entries = Lock<[Entry]>([])
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    /// The kinds of providers that the program knows: all of the library, and local models.
    var catalog: ProviderCatalog {
        var catalog = ProviderCatalog.standard
        catalog.register(.llama) { [self] settings throws(GatewayError) in
            let provider = try LlamaProvider(settings, logger: logger)
            entries.withLock { $0.append(Entry(deployment: settings.id, provider: provider)) }
            return provider
        }
        return catalog
    }

    /// Loads local models and shows progress if that takes long and somebody is watching.
    /// - Parameter deployments: The ids of the deployments; nil means all.
    func load(_ deployments: Set<String>? = nil) async throws(GatewayError) {
        let entries = entries.withLock { entries in
            entries.filter { deployments?.contains($0.deployment) ?? true }
        }
        for entry in entries {
            let line = LoadProgressLine(name: entry.deployment)
            defer { line.clear() }
            try await entry.provider.load { line.show($0) }
        }
    }

    /// Says what to do if a model file is not there, before anything else is tried.
    static func check(_ path: String) throws(CommandFailure) {
        if !LlamaProvider.isAvailable {
            throw CommandFailure(
                .unavailable,
                "this build has no local backend; build one with scripts/build (or: swift build --traits LlamaCpp,YAML), "
                    + "or use another model with --base-url or --config"
            )
        }
        let reason: SystemError
        do throws(SystemError) { return try OpenFile.checkReadable(path) } catch { reason = error }
        if path == LocalModels.defaultModelPath {
            throw CommandFailure(
                .unavailable,
                "there is no local model at \(path); run scripts/setup to install it, or name another with -m FILE.gguf"
            )
        }
        throw CommandFailure(
            .noInput,
            "cannot read the model file \(path): \(reason); give the path of a GGUF file, or run scripts/setup for a small one"
        )
    }

    /// The small chat model that `scripts/setup` installs.
    static var defaultPath: String { LocalModels.defaultModelPath }

    /// The file that a person means: a path, or the name of a file in the directory of models.
    static func path(_ text: String) -> String {
        // A shell leaves the tilde behind an equals sign as it is.
        if text.hasPrefix("~/"), let home = ProcessEnvironment["HOME"] { return home + text.dropFirst() }
        return LocalModels.path(for: text)
    }

    /// The public name of a model in a file: that of the file.
    static func name(of path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.hasSuffix(".gguf") ? String(file.dropLast(5)) : file
    }
}

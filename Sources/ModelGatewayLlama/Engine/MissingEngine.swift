// What stands for the engine in a build without llama.cpp: nothing that could exist.

#if !LlamaCpp

import Logging
import ModelGateway

/// Never exists: making one says how to get a build that has the local backend.
final class LlamaEngine: Sendable {
    init(path: String, options: LlamaOptions, logger: Logger, progress: LoadProgress) throws(GatewayError) {
        throw GatewayError(
            .unsupported,
            "This build has no local backend. Build with it by scripts/build, or: swift build --traits LlamaCpp,YAML."
        )
    }
}

#endif

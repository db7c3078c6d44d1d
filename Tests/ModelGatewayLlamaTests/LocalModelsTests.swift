// The names of model files, with and without the local backend.

import ModelGatewayLlama
import Testing

@Suite struct LocalModelsTests {
    @Test func aPathStaysAPath() {
        #expect(LocalModels.path(for: "/models/a.gguf") == "/models/a.gguf")
        #expect(LocalModels.path(for: "./a") == "./a")
    }

    @Test func aNameMeansAFileOfTheModelDirectory() {
        #expect(LocalModels.path(for: "no-such-model") == LocalModels.directory + "/no-such-model.gguf")
        #expect(LocalModels.path(for: "no-such-model.gguf") == LocalModels.directory + "/no-such-model.gguf")
        #expect(LocalModels.defaultModelPath.hasPrefix(LocalModels.directory))
    }
}

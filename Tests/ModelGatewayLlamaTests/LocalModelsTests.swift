// The names of model files, with and without the local backend.

import ModelGatewayLlama
import Testing

@Suite struct LocalModelsTests {
    @Test func `A path stays a path`() {
        #expect(LocalModels.path(for: "/models/a.gguf") == "/models/a.gguf")
        #expect(LocalModels.path(for: "./a") == "./a")
    }

    @Test func `A name means a file of the model directory`() {
        #expect(LocalModels.path(for: "no-such-model") == LocalModels.directory + "/no-such-model.gguf")
        #expect(LocalModels.path(for: "no-such-model.gguf") == LocalModels.directory + "/no-such-model.gguf")
        #expect(LocalModels.defaultModelPath.hasPrefix(LocalModels.directory))
    }
}

// Loading and unloading: progress, damaged files, several models, giving up.

#if LlamaCpp

import Synchronization
import Foundation
import GatewayWire
import ModelGateway
import ModelGatewayLlama
import Testing

extension LocalModelTests {
    @Suite(.timeLimit(.minutes(5))) struct LoadingTests {
        /// A file of its own for one test.
        private func withFile(_ bytes: Data, _ body: (String) async throws -> Void) async throws {
            let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).gguf")
            try bytes.write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            try await body(file.path())
        }

        private func failure(_ path: String) async -> GatewayError? {
            do {
                try await LlamaProvider(model: path).load()
                return nil
            } catch {
                return error
            }
        }

        @Test func `A missing file is named`() async {
            let error = await failure("/no/such/model.gguf")
            #expect(error?.code == .modelLoadFailed)
            #expect(error?.message.contains("/no/such/model.gguf") == true)
            #expect(error?.message.contains("no such file") == true)
        }

        @Test func `A directory is not a model`() async {
            #expect(await failure("/tmp")?.message.contains("not a regular file") == true)
        }

        @Test func `A file of another kind is not a model`() async throws {
            try await withFile(Data("this is a text, not a model, whatever its name says".utf8)) { path in
                #expect(await failure(path)?.message.contains("not a GGUF file") == true)
            }
            try await withFile(Data()) { path in
                #expect(await failure(path)?.message.contains("not a GGUF file") == true)
            }
        }

        @Test(arguments: [20, 64, 4096, 1 << 20, 20 << 20])
        func `A truncated file says so`(_ length: Int) async throws {
            let model = try #require(FileHandle(forReadingAtPath: LocalModels.defaultModelPath), "run scripts/setup")
            let bytes = try #require(try model.read(upToCount: length))
            try await withFile(bytes) { path in
                let error = await failure(path)
                #expect(error?.code == .modelLoadFailed)
                #expect(error?.message.contains("no reason") == false, "\(error?.message ?? "")")
                #expect(error?.message.contains(path) == true)
            }
        }

        @Test func `Garbage after the header is refused`() async throws {
            var generator = SystemRandomNumberGenerator()
            var bytes = Data("GGUF".utf8) + Data([3, 0, 0, 0])
            for _ in 0..<65536 { bytes.append(UInt8.random(in: 0...255, using: &generator)) }
            try await withFile(bytes) { path in
                #expect(await failure(path)?.code == .modelLoadFailed)
            }
        }

        @Test func `Progress goes from nothing to one`() async throws {
            let seen = Lock<[Double]>([])
            let provider = LlamaProvider(
                model: LocalModels.defaultModelPath,
                options: LlamaOptions.oneThread(contextLength: 512)
            )
            try await provider.load { fraction in seen.withLock { $0.append(fraction) } }
            let fractions = seen.withLock { $0 }
            #expect(fractions.count > 2)
            #expect(fractions == fractions.sorted())
            #expect(fractions.allSatisfy { (0...1).contains($0) })
            #expect(fractions.last == 1)
            await provider.unload()
        }

        @Test func `A cancelled load can be tried again`() async throws {
            let provider = LlamaProvider(
                model: LocalModels.defaultModelPath,
                options: LlamaOptions.oneThread(contextLength: 512)
            )
            let load = Task { try await provider.load() }
            load.cancel()
            // It may have been done before the cancellation came.
            if case .failure(let error) = await load.result { #expect((error as? GatewayError)?.code == .cancelled) }
            try await provider.load()
            #expect(provider.isLoaded)
            await provider.unload()
        }

        @Test func `Calls that come together share one load`() async throws {
            let provider = LlamaProvider(
                model: LocalModels.defaultModelPath,
                options: LlamaOptions.oneThread(contextLength: 512)
            )
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { _ = try await provider.answer("Hi", Sampling(maxTokens: 2)) }
                }
                try await group.waitForAll()
            }
            await provider.unload()
        }

        @Test func `Unloading ends answers, and loading brings the model back`() async throws {
            let provider = LlamaProvider(
                model: LocalModels.defaultModelPath,
                options: LlamaOptions.oneThread(contextLength: 2048)
            )
            let request = ChatRequest(
                model: "m",
                messages: [.user("A story")],
                sampling: Sampling(temperature: 0, logitBias: [0: -100, 2: -100])
            )
            let source = try await provider.chat(request, context: testContext)
            await provider.unload()
            #expect(!provider.isLoaded)
            let error = await #expect(throws: GatewayError.self) {
                while try await source.next() != nil {}
            }
            #expect(error?.code == .shuttingDown)
            #expect(try await provider.answer("Hi", Sampling(maxTokens: 2)).text.isEmpty == false)
            await provider.unload()
        }

        @Test func `Two models work side by side`() async throws {
            let first = LlamaProvider(
                model: LocalModels.defaultModelPath,
                options: LlamaOptions.oneThread(contextLength: 512)
            )
            let second = LlamaProvider(
                model: LocalModels.defaultModelPath,
                options: LlamaOptions.oneThread(contextLength: 1024)
            )
            async let one = first.answer("Say hello.", Sampling(temperature: 0, maxTokens: 8))
            async let two = second.answer("Say hello.", Sampling(temperature: 0, maxTokens: 8))
            #expect(try await one.text == two.text)
            #expect(try await first.models(timeouts: Timeouts()).first?.contextLength == 512)
            #expect(try await second.models(timeouts: Timeouts()).first?.contextLength == 1024)
            await first.unload()
            await second.unload()
        }
    }
}

#endif

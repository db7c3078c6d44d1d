// A loaded model: its weights and vocabulary. Loading with progress, text to tokens and back.

#if LlamaCpp

import CLlama
import ModelGateway
import Synchronization

/// The weights and the vocabulary of one GGUF file.
///
/// Unchecked because of the C pointers: after loading, llama.cpp only reads from the model, from any thread, and it is
/// freed when the last reference is gone.
final class LlamaModel: @unchecked Sendable {
    let file: ModelFile
    let model: OpaquePointer
    let vocabulary: OpaquePointer
    /// The context length that the model was trained for.
    let trainedContext: Int
    /// The model's own chat template, in Jinja, if it has one.
    let chatTemplate: String?
    /// Whether old positions of a sequence can be kept while later ones are dropped: not so for recurrent models.
    let keepsPrefixes: Bool
    /// The longest token in bytes: a text of more bytes than this times the context cannot fit.
    private let longestToken: Int
    let vocabularySize: Int

    /// Loads a file. Blocks for as long as that takes: not for cooperative threads.
    init(path: String, gpuLayers: Int, progress: LoadProgress) throws(GatewayError) {
        file = try ModelFile(path: path)
        _ = LlamaLog.initialized
        var parameters = llama_model_default_params()
        parameters.n_gpu_layers = gpuLayers == .max ? -1 : Int32(clamping: gpuLayers)
        parameters.progress_callback = reportProgress
        parameters.progress_callback_user_data = Unmanaged.passUnretained(progress).toOpaque()
        let (loaded, errors) = LlamaLog.capturingErrors {
            EndOfProcess.guarding {
                withExtendedLifetime(progress) { llama_model_load_from_file(path, parameters) }
            }
        }
        if progress.isCancelled.load(ordering: .relaxed) || EndOfProcess.hasBegun {
            if let loaded { llama_model_free(loaded) }
            throw GatewayError(.cancelled, "Loading the model was cancelled.")
        }
        guard let loaded else { throw ModelFile.failure(path, Self.reason(errors)) }
        guard let vocabulary = llama_model_get_vocab(loaded), llama_vocab_n_tokens(vocabulary) > 0 else {
            llama_model_free(loaded)
            throw ModelFile.failure(path, "it has no vocabulary")
        }
        model = loaded
        self.vocabulary = vocabulary
        trainedContext = Int(llama_model_n_ctx_train(loaded))
        chatTemplate = llama_model_chat_template(loaded, nil).map { String(cString: $0) }
        keepsPrefixes = !llama_model_is_recurrent(loaded) && !llama_model_is_hybrid(loaded)
        vocabularySize = Int(llama_vocab_n_tokens(vocabulary))
        longestToken = Self.longestToken(of: vocabulary, count: vocabularySize)
    }

    deinit {
        EndOfProcess.guarding { llama_model_free(model) }
    }

    /// The most telling of the lines that llama.cpp logged: it goes from the cause to the consequence, and says "error
    /// loading model" where it knows more than that the model "failed to load".
    private static func reason(_ lines: [String]) -> String {
        let knows = lines.first { $0.contains("error loading model") && !$0.contains("failed to load model from") }
        guard var line = knows ?? lines.first else { return "llama.cpp gave no reason" }
        // "llama_model_load: error loading model: tensor 'x' data is not within the file bounds, …"
        for prefix in ["error loading model architecture: ", "error loading model: ", ": "] {
            guard let range = line.firstRange(of: prefix) else { continue }
            line = String(line[range.upperBound...])
            break
        }
        while let last = line.last, last == "." || last.isWhitespace { line.removeLast() }
        return "\(line). The file may be damaged or cut short; download it again"
    }

    private static func longestToken(of vocabulary: OpaquePointer, count: Int) -> Int {
        var longest = 1
        for token in 0..<Int32(count) {
            guard let text = llama_vocab_get_text(vocabulary, token) else { continue }
            var length = 0
            while text[length] != 0 { length += 1 }
            longest = max(longest, length)
        }
        return longest
    }

    // MARK: Text and tokens

    /// Turns text into tokens.
    /// - Parameters:
    ///   - addsSpecial: Whether the model's begin and end markers are added where its vocabulary asks for them.
    ///   - parsesMarkers: Whether markers such as `<|im_end|>` in the text become the control tokens that they stand for.
    func tokens(of text: String, addsSpecial: Bool, parsesMarkers: Bool) -> [Int32] {
        var text = text
        return text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { text in
                var tokens = [Int32](repeating: 0, count: text.count / 3 + 16)
                for _ in 0..<2 {
                    let count = Int(
                        llama_tokenize(
                            vocabulary,
                            text.baseAddress,
                            Int32(text.count),
                            &tokens,
                            Int32(tokens.count),
                            addsSpecial,
                            parsesMarkers
                        )
                    )
                    if count >= 0 {
                        tokens.removeSubrange(count...)
                        return tokens
                    }
                    // A negative count is the number of tokens that there is no room for.
                    tokens = [Int32](repeating: 0, count: -count)
                }
                return []
            }
        }
    }

    /// Refuses a text of so many bytes that it is sure to have more tokens than `limit`, before it is read.
    /// - Parameter param: The field of the request that it came in.
    func checkLength(bytes: Int, limit: Int, param: String) throws(GatewayError) {
        guard bytes / longestToken <= limit, bytes < Int(Int32.max) else {
            throw Self.tooLong("at least \(bytes / longestToken)", limit: limit, param: param)
        }
    }

    /// - Parameter param: The field of the request that holds the text.
    static func tooLong(_ count: String, limit: Int, param: String) -> GatewayError {
        let what = param == "input" ? "input" : "prompt"
        return GatewayError(
            .contextLengthExceeded,
            "The \(what) has \(count) tokens, but the context of the model holds \(limit). Shorten the \(what).",
            param: param
        )
    }

    /// Gives the bytes of a token's text to `body`; control tokens have none.
    func withText<Result>(of token: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            let count = llama_token_to_piece(vocabulary, token, buffer.baseAddress, 256, 0, false)
            if count >= 0 { return Self.asBytes(UnsafeBufferPointer(rebasing: buffer[..<Int(count)]), body) }
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(-count)) { buffer in
                let count = llama_token_to_piece(vocabulary, token, buffer.baseAddress, -count, 0, false)
                return Self.asBytes(UnsafeBufferPointer(rebasing: buffer[..<max(0, Int(count))]), body)
            }
        }
    }

    private static func asBytes<Result>(
        _ buffer: UnsafeBufferPointer<CChar>,
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        buffer.withMemoryRebound(to: UInt8.self, body)
    }

    /// The text of tokens, for a caller that wants its prompt back.
    func text(of tokens: [Int32]) -> String {
        var bytes: [UInt8] = []
        for token in tokens { withText(of: token) { bytes.append(contentsOf: $0) } }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the model can write text: encoders cannot, and those with an encoder before the decoder are not served.
    var generates: Bool {
        llama_model_has_decoder(model) && !llama_model_has_encoder(model) && !llama_model_is_diffusion(model)
            && metadata("\(metadata("general.architecture") ?? "").attention.causal") != "false"
    }

    /// Whether an answer ends with this token.
    func isEndOfGeneration(_ token: Int32) -> Bool {
        llama_vocab_is_eog(vocabulary, token)
    }

    /// A value out of the file's metadata.
    func metadata(_ key: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
            guard llama_model_meta_val_str(model, key, buffer.baseAddress, 512) >= 0, let text = buffer.baseAddress
            else { return nil }
            return String(cString: text)
        }
    }
}

private func reportProgress(_ fraction: Float, _ data: UnsafeMutableRawPointer?) -> Bool {
    guard let data else { return true }
    let progress = Unmanaged<LoadProgress>.fromOpaque(data).takeUnretainedValue()
    // The end is reported when the model is ready, not when its last tensor is.
    progress.report(min(0.99, Double(fraction)))
    return !progress.isCancelled.load(ordering: .relaxed) && !EndOfProcess.hasBegun
}

#endif

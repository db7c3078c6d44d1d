// llama.cpp's log lines: to the logger at debug level, and into the error when a model does not load.

#if LlamaCpp

import Synchronization
import CLlama
import GatewaySystem
import GatewayWire
import Logging

/// Takes over llama.cpp's process-wide log; without it everything would go to standard error.
enum LlamaLog {
    private struct State {
        var logger = Logger(label: "ModelGateway.llama")
        /// Error lines by the thread that logged them, for threads that asked for theirs.
        var errors: [UInt: [String]] = [:]
        /// Pieces of a line whose end has not come yet.
        var unfinished = ""
    }

    private static let state = Lock(State())

    /// Starts llama.cpp once in the life of the process.
    static let initialized: Void = {
        llama_log_set(logLine, nil)
        modelgateway_llama_initialize()
        EndOfProcess.watch()
    }()

    /// Where lines go from now on. llama.cpp has one log for all models, so the last logger given counts.
    static func setLogger(_ logger: Logger) {
        state.withLock { $0.logger = logger }
    }

    /// Runs `body` and returns the error lines that it made llama.cpp log on this thread.
    static func capturingErrors<Result>(_ body: () -> Result) -> (Result, [String]) {
        let thread = CurrentThread.id
        state.withLock { $0.errors[thread] = [] }
        let result = body()
        let lines = state.withLock { $0.errors.removeValue(forKey: thread) ?? [] }
        return (result, lines)
    }

    fileprivate static func add(_ piece: String, isError: Bool) {
        let (line, logger): (String?, Logger) = state.withLock { state in
            state.unfinished += piece
            // Progress dots come one by one; a line that never ends must not grow without bound.
            guard state.unfinished.hasSuffix("\n") || state.unfinished.utf8.count > 4096 else {
                return (nil, state.logger)
            }
            var line = state.unfinished
            state.unfinished = ""
            while line.last?.isNewline == true { line.removeLast() }
            if isError { state.errors[CurrentThread.id]?.append(line) }
            return (line.isEmpty ? nil : line, state.logger)
        }
        if let line { logger.debug("llama.cpp", metadata: ["line": .string(line)]) }
    }
}

private func logLine(_ level: ggml_log_level, _ text: UnsafePointer<CChar>?, _ data: UnsafeMutableRawPointer?) {
    guard let text else { return }
    LlamaLog.add(String(cString: text), isError: level == GGML_LOG_LEVEL_ERROR)
}

#endif

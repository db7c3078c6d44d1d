// A thread of our own for work that blocks or computes for long, which must not happen on Swift's cooperative threads.

#if LlamaCpp

import GatewaySystem
import ModelGateway

/// Runs pieces of work one after another on one thread, in the order in which they came.
///
/// The thread ends when the last reference to its owner goes away, after the work that it already has.
final class ComputeThread: Sendable {
    private struct Jobs {
        var waiting: [@Sendable () -> Void] = []
        var ending = false
    }

    private let jobs = Monitor(Jobs())

    /// Starts the thread.
    /// - Parameter name: What debuggers show, at most 15 bytes.
    init(name: String) throws(GatewayError) {
        let jobs = jobs
        try ComputeThread.start(name: name) {
            while let work = jobs.wait(for: ComputeThread.take) { work() }
        }
    }

    deinit {
        jobs.change { $0.ending = true }
    }

    /// The next piece of work; the inner nil is the end.
    private static func take(_ jobs: inout Jobs) -> (@Sendable () -> Void)?? {
        if !jobs.waiting.isEmpty { return .some(jobs.waiting.removeFirst()) }
        return jobs.ending ? .some(nil) : nil
    }

    /// Runs `body` on the thread and returns what it returns. Cancellation does not stop a body that has begun.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () -> Result<Value, GatewayError>
    ) async throws(GatewayError) -> Value {
        let result = await withUnsafeContinuation { continuation in
            jobs.change { jobs in
                jobs.waiting.append { continuation.resume(returning: body()) }
            }
        }
        return try result.get()
    }

    /// Runs `body` on a new thread that ends with it.
    static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(GatewayError) {
        // llama.cpp builds deep graphs; the default of musl and Darwin is too small for it.
        let status = OwnThread.start(name: name, stackSize: 8 << 20, body)
        guard status == 0 else {
            throw GatewayError(
                .internalError,
                "The system cannot start a thread for the local model (error \(status)); raise its limit of threads."
            )
        }
    }
}

#endif

// The models of a configuration's workers, which a short-lived command must find before it can ask one of them.

import Logging
import ModelGateway

enum WorkerSearch {
    /// Starts to look for the workers, and returns when each has answered or failed once.
    /// - Parameter limit: How long they may take.
    static func run(
        _ gateway: Gateway,
        configuration: Configuration,
        logger: Logger,
        within limit: Duration = .seconds(10)
    ) async throws {
        let workers = configuration.workers
        guard !workers.urls.isEmpty || workers.discovery.file != nil || workers.discovery.dns != nil else { return }
        // It goes on for as long as the process does.
        Task.detached { try await gateway.run(logger: logger) }
        let end = MonotonicInstant.now + limit
        while gateway.workers.isEmpty || gateway.workers.contains(where: { $0.isUndecided }) {
            guard MonotonicInstant.now < end else { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        let problems = gateway.workers.compactMap(\.problem)
        guard gateway.models.isEmpty, let problem = problems.first else { return }
        throw CommandFailure(.unavailable, "no worker of the configuration answers: \(problem)")
    }
}

extension Worker {
    /// Whether it has neither answered nor failed so far.
    fileprivate var isUndecided: Bool { state == .connecting && problem == nil }
}

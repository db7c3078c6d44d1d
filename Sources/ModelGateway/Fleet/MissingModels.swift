// Deployments that said they do not have their model, for the part that finds out what workers offer.

import GatewayWire
import Synchronization

/// Collects what calls have found missing, until somebody asks the workers.
final class MissingModels: Sendable {
    /// A deployment of a worker, and the model that it does not have.
    struct Subject: Sendable, Hashable {
        var deployment: String
        var model: String
    }

    private struct State {
        var subjects: Set<Subject> = []
        var wake: (@Sendable () -> Void)?
    }

    private let state = Lock(State())

    /// Begins to collect, and calls `wake` whenever there is something to take.
    func watch(_ wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wake = wake }
    }

    /// Tells of a deployment without its model; nothing is kept while there is no watcher.
    func tell(_ subject: Subject) {
        let wake = state.withLock { state in
            if state.wake != nil { state.subjects.insert(subject) }
            return state.wake
        }
        wake?()
    }

    /// Takes everything that was reported.
    func take() -> Set<Subject> {
        state.withLock { state in
            defer { state.subjects = [] }
            return state.subjects
        }
    }
}

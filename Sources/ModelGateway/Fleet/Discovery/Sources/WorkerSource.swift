// Places that say which workers there are.

/// Names workers for as long as it is watched.
package protocol WorkerSource: Sendable {
    /// What the source is called in `GET /workers` and in logs.
    var name: String { get }

    /// Reports the whole set of workers each time that it is known or has changed, until the task is cancelled. A set
    /// that cannot be found out is not reported: the last one stays.
    func watch(_ report: WorkerReport) async
}

/// Takes what a source finds out.
package struct WorkerReport: Sendable {
    /// Takes the workers that there are now.
    package let workers: @Sendable ([WorkerAddress]) -> Void
    /// Takes a sentence about why the workers could not be found out.
    package let problem: @Sendable (String) -> Void

    /// Creates a pair of receivers.
    package init(
        workers: @escaping @Sendable ([WorkerAddress]) -> Void,
        problem: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.workers = workers
        self.problem = problem
    }
}

// Where the gateway learns which workers there are.

/// Names workers for as long as it is watched: a service registry, a cluster's API, a table in a database.
///
/// ```swift
/// struct RegistrySource: WorkerSource {
///     let registry: ServiceRegistry
///     let name = "registry"
///
///     func watch(_ report: WorkerReport) async {
///         while !Task.isCancelled {
///             do {
///                 report.workers(try await registry.addresses(of: "vllm").map { try WorkerAddress($0) })
///             } catch {
///                 report.problem("The registry cannot be read: \(error)")
///             }
///             try? await Task.sleep(for: .seconds(10))
///         }
///     }
/// }
///
/// let gateway = Gateway(workerSources: [RegistrySource(registry: registry)])
/// try await gateway.run()
/// ```
/// A worker is asked for its models as soon as it is named, and receives calls once it has answered.
public protocol WorkerSource: Sendable {
    /// What the source is called in ``Worker/sources`` and in logs. The gateway appends a number to a name that another
    /// of its sources has already, and to `api`, which stands for
    /// ``Gateway/addWorker(url:apiKey:weight:priority:labels:tags:)``.
    var name: String { get }

    /// Reports the whole set of workers whenever it is first known or has changed, until the task is cancelled. A set
    /// that cannot be determined is not reported: the last one stays, as it does when the method returns.
    ///
    /// Called once by ``Gateway/run(logger:)``.
    /// - Parameter report: Receives what the source finds out, on any thread.
    func watch(_ report: WorkerReport) async
}

/// Receives what a source of workers finds out.
public struct WorkerReport: Sendable {
    /// Receives all workers that there are now. Those from the source's last report that are missing receive no new
    /// calls, and are removed when the calls in flight have ended.
    public let workers: @Sendable ([WorkerAddress]) -> Void
    /// Receives a sentence about why the workers could not be determined; it is logged as a warning.
    public let problem: @Sendable (String) -> Void

    /// Creates a pair of receivers, as the gateway does; for tests of sources.
    public init(
        workers: @escaping @Sendable ([WorkerAddress]) -> Void,
        problem: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.workers = workers
        self.problem = problem
    }
}

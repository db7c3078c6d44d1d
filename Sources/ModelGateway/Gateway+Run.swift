// The work that a gateway does by itself: finding workers, asking them, probing deployments.

public import Logging

extension Gateway {
    /// Finds workers, asks them for their models and their load, and probes deployments, until the task is cancelled.
    ///
    /// Calls work without it, but nothing is probed and no worker is ever found. It returns when its task is cancelled
    /// and never fails by itself; a worker that cannot be reached is asked again, forever. Run it once, alongside
    /// whatever makes the calls. In a `ServiceGroup`, `GatewayService` of the product `ModelGatewayLifecycle` does.
    /// - Parameter logger: Receives a line for workers that come, change and go, for sources that cannot be read, and for
    ///   deployments that drain, are removed, or get no calls because of their circuit breaker, their health or their
    ///   credentials.
    public func run(logger: Logger = Logger(label: "modelgateway.fleet")) async throws {
        let probe = EngineProbe()
        let prober = HealthProber(fleet, time: registry.time) { question throws(GatewayError) in
            try await probe.ask(question)
        }
        let monitor = WorkerMonitor(registry, sources: workerSources, logger: logger)
        let notices = fleet.journal.open()
        await withDiscardingTaskGroup { [fleet] tasks in
            tasks.addTask { await fleet.journal.write(notices, to: logger) }
            tasks.addTask { await prober.run() }
            tasks.addTask { await monitor.run() }
        }
    }
}

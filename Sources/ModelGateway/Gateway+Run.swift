// The work that a gateway does by itself: finding workers, asking them, probing deployments.

public import Logging

extension Gateway {
    /// Finds workers, asks them for their models and their load, and probes deployments, until the task is cancelled.
    ///
    /// Calls work without it, but nothing is probed and no worker is ever found. It returns when its task is cancelled
    /// and never fails by itself; a worker that cannot be reached is asked again, for ever. Run it once, beside
    /// whatever makes the calls, for example in a ServiceLifecycle service:
    ///
    /// ```swift
    /// struct FleetService: Service {
    ///     let gateway: Gateway
    ///     func run() async throws { try await cancelWhenGracefulShutdown { try await gateway.run() } }
    /// }
    /// ```
    /// - Parameter logger: Is told of workers that come and go, and of sources that cannot be read.
    public func run(logger: Logger = Logger(label: "modelgateway.fleet")) async throws {
        let probe = EngineProbe()
        let prober = HealthProber(fleet, time: registry.time) { question throws(GatewayError) in
            try await probe.ask(question)
        }
        let monitor = WorkerMonitor(registry, sources: workerSources, logger: logger)
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await prober.run() }
            tasks.addTask { await monitor.run() }
        }
    }
}

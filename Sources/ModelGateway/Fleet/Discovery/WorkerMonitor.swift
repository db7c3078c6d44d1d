// Asks workers the questions that are due, for as long as it runs.

package import Logging

/// Watches the sources of workers, asks workers for their models and engines for their load.
package struct WorkerMonitor: Sendable {
    let registry: WorkerRegistry
    let sources: [any WorkerSource]
    let logger: Logger

    package init(_ registry: WorkerRegistry, sources: [any WorkerSource] = [], logger: Logger) {
        self.registry = registry
        self.sources = sources
        self.logger = logger
    }

    /// The least time between two looks at all workers, so that a large fleet is not looked through without a pause.
    private static let leastPause = Duration.milliseconds(10)

    /// Runs until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { tasks in
            for source in sources { tasks.addTask { await watch(source) } }
            while !Task.isCancelled {
                // Workers that come and go are what would fill the metrics.
                registry.fleet.series.sweep()
                for question in registry.takeDue() { tasks.addTask { await ask(question) } }
                let pause = registry.timeUntilNext().map { max($0, Self.leastPause) }
                await registry.changed.wait(atMost: pause, registry.time)
            }
            tasks.cancelAll()
        }
    }

    private func watch(_ source: any WorkerSource) async {
        await source.watch(
            WorkerReport(
                workers: { registry.report($0, from: source.name) },
                problem: { logger.warning("\($0)", metadata: ["source": "\(source.name)"]) }
            )
        )
    }

    private func ask(_ question: WorkerRegistry.Question) async {
        switch question {
        case .inspection(let worker):
            let result = await inspect(worker)
            if case .failure(let error) = result, error.code == .cancelled { return }
            if let news = registry.inspected(worker, result) {
                let isLoop = if case .failure(let error) = result { error.code == .loopDetected } else { false }
                logger.log(level: isLoop ? .warning : .info, "\(news)")
            }
        case .load(let worker, let metrics):
            registry.loaded(worker, await load(of: worker, metrics))
        }
        registry.changed.send()
    }

    private func inspect(_ worker: WorkerEntry) async -> Result<WorkerRegistry.Inspection, GatewayError> {
        do throws(GatewayError) {
            let client = try registry.client(of: worker)
            let models = try await client.models()
            var engine = worker.failures == 0 ? worker.engine : nil
            if engine == nil { engine = await EngineDetector(client).detect(models) }
            return .success(WorkerRegistry.Inspection(models: models, engine: engine))
        } catch {
            return .failure(error)
        }
    }

    private func load(of worker: WorkerEntry, _ metrics: EngineMetrics) async -> EngineReading? {
        do throws(GatewayError) {
            let answer = try await registry.client(of: worker).get(EngineMetrics.path)
            return answer.status == 200 ? metrics.read(answer.body) : nil
        } catch {
            // An engine that is down is a matter of its probes; its load is just not known.
            return nil
        }
    }
}

// Asks workers whatever is due, for as long as it runs.

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

    /// The shortest pause between two passes over all workers, so that a large fleet is not scanned nonstop.
    private static let leastPause = Duration.milliseconds(10)

    /// Runs until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { tasks in
            for (name, source) in named { tasks.addTask { await watch(source, name) } }
            while !Task.isCancelled {
                // Workers that come and go would otherwise fill up the metrics.
                registry.fleet.series.sweep()
                for question in registry.takeDue() { tasks.addTask { await ask(question) } }
                let pause = registry.timeUntilNext().map { max($0, Self.leastPause) }
                await registry.changed.wait(atMost: pause, registry.time)
            }
            tasks.cancelAll()
        }
    }

    private func watch(_ source: any WorkerSource, _ name: String) async {
        await source.watch(
            WorkerReport(
                workers: { registry.report($0, from: name) },
                problem: { logger.warning("\($0)", metadata: ["source": "\(name)"]) }
            )
        )
    }

    /// The sources by distinct names: each report stands for everything that its source names.
    private var named: [(String, any WorkerSource)] {
        var counts = [WorkerEntry.api: 1]
        return sources.map { source in
            let count = (counts[source.name] ?? 0) + 1
            counts[source.name] = count
            return (count == 1 ? source.name : "\(source.name)-\(count)", source)
        }
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
            let (client, models) = try await models(of: worker)
            var engine = worker.failures == 0 && client.url == worker.url ? worker.engine : nil
            if engine == nil { engine = await EngineDetector(client).detect(models) }
            return .success(WorkerRegistry.Inspection(models: models, engine: engine, url: client.url))
        } catch {
            return .failure(error)
        }
    }

    /// The models of a worker, and the client that got them: at the given address, or if the server has no list of
    /// models there, at `/v1` below it.
    private func models(of worker: WorkerEntry) async throws(GatewayError) -> (EngineClient, [ModelInfo]) {
        let client = try registry.client(of: worker)
        do throws(GatewayError) {
            return (client, try await client.models())
        } catch {
            let given = worker.address.url
            let others = [given, given.appendingVersion].filter { $0 != worker.url }
            guard error.isAnswerWithoutModels, let other = others.first else { throw error }
            let second = try registry.client(of: worker, at: other)
            do throws(GatewayError) {
                return (second, try await second.models())
            } catch let next {
                throw next.code == .cancelled ? next : error
            }
        }
    }

    private func load(of worker: WorkerEntry, _ metrics: EngineMetrics) async -> EngineReading? {
        do throws(GatewayError) {
            let answer = try await registry.client(of: worker).get(EngineMetrics.path)
            return answer.status == 200 ? metrics.read(answer.body) : nil
        } catch {
            // An engine that is down is a matter for its probes; here, its load is just not known.
            return nil
        }
    }
}

extension GatewayError {
    /// Whether a server answered, but not with a list of models.
    fileprivate var isAnswerWithoutModels: Bool {
        code == .malformedResponse || upstream.map { (400..<500).contains($0.status) && $0.status != 429 } ?? false
    }
}

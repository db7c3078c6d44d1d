// How a worker's models become deployments in the fleet, and leave it again.

extension WorkerRegistry {
    /// Gives the fleet a deployment for each of these models, or new settings to the ones it has.
    func deploy(_ models: [String], of entry: inout WorkerEntry, _ state: inout State) {
        guard !entry.isDraining, !entry.isLeaving else { return }
        do throws(GatewayError) {
            let client = try client(of: entry)
            let provider = try client.provider(name: (entry.engine?.kind ?? .generic).rawValue)
            for model in models {
                let deployment = deployment(of: model, by: entry, provider: provider)
                fleet.set(deployment, of: model, template: options.group)
                // It may have been draining because the model was gone for a moment.
                state.leaving.remove(Leaving(worker: entry.id, model: model, deployment: deployment.id))
                try fleet.group(model).stopDraining(deployment.id)
                entry.deployed.insert(model)
            }
        } catch {
            entry.problem = error.message
        }
    }

    private func deployment(of model: String, by entry: WorkerEntry, provider: any Provider) -> Deployment {
        var deployment = Deployment(
            id: entry.deploymentID(model),
            provider: provider,
            upstreamModel: model,
            weight: entry.weight,
            priority: entry.priority,
            tags: entry.tags,
            labels: entry.labels,
            timeouts: options.timeouts
        )
        deployment.fingerprint = entry.fingerprint
        return deployment
    }

    /// Sends no more calls for these models to a worker; the deployments go once they are idle, or at the time limit.
    func withdraw(_ models: Set<String>, of entry: inout WorkerEntry, within limit: Duration, _ state: inout State) {
        for model in models {
            let leaving = Leaving(worker: entry.id, model: model, deployment: entry.deploymentID(model))
            state.leaving.insert(leaving)
            entry.deployed.remove(model)
            guard let group = try? fleet.group(model) else { continue }
            if limit > .zero {
                group.drain(leaving.deployment, within: limit)
            } else {
                group.remove(leaving.deployment)
            }
        }
    }

    /// Forgets what has left the fleet: deployments, models that nobody offers any more, and workers.
    func prune(_ state: inout State) {
        guard !state.leaving.isEmpty || state.workers.values.contains(where: \.isLeaving) else { return }
        for leaving in state.leaving {
            if let group = try? fleet.group(leaving.model), group.status(of: leaving.deployment) != nil { continue }
            state.leaving.remove(leaving)
            let isOffered = state.workers.values.contains { worker in
                !worker.isLeaving && worker.models.contains { $0.id == leaving.model }
            }
            if !isOffered { fleet.removeIfEmpty(leaving.model) }
        }
        let stillLeaving = Set(state.leaving.map(\.worker))
        state.workers = state.workers.filter { !$0.value.isLeaving || stillLeaving.contains($0.key) }
    }

    /// The worker as others see it.
    func describe(_ entry: WorkerEntry) -> Worker {
        Worker(
            id: entry.id,
            url: entry.url.description,
            sources: entry.sources.sorted(),
            state: entry.state,
            isLeaving: entry.isLeaving,
            engine: entry.engine,
            models: entry.models.map(\.id),
            weight: entry.weight,
            priority: entry.priority,
            tags: entry.tags,
            labels: entry.labels,
            problem: entry.problem,
            deployments: entry.models.compactMap { model in
                try? fleet.group(model.id).status(of: entry.deploymentID(model.id))
            }
        )
    }

    /// Whether the server at an address is this very gateway.
    package func isOurselves(at url: String) async -> Bool {
        do throws(GatewayError) {
            let client = EngineClient(
                url: try WorkerAddress(url).url,
                identity: identity,
                transport: try workerTransport(),
                timeout: .seconds(1)
            )
            _ = try await client.models()
            return false
        } catch {
            return error.code == .loopDetected
        }
    }

    /// Asks this worker.
    /// - Parameter url: The base URL of its API; nil for the one that is known.
    func client(of entry: WorkerEntry, at url: BaseURL? = nil) throws(GatewayError) -> EngineClient {
        EngineClient(
            url: url ?? entry.url,
            apiKey: entry.apiKey,
            identity: identity,
            transport: try workerTransport(),
            timeout: options.askTimeout
        )
    }
}

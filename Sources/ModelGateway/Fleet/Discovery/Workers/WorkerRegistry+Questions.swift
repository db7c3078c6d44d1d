// Which requests to workers are due, and what follows from the answers.

extension WorkerRegistry {
    /// A request that is due. While it is in progress, the same request to the same worker is not due again.
    enum Question: Sendable {
        /// Which models does it offer, and what does it run?
        case inspection(WorkerEntry)
        /// How loaded is it?
        case load(WorkerEntry, EngineMetrics)
    }

    /// What a worker said about itself.
    struct Inspection: Sendable {
        var models: [ModelInfo]
        var engine: Engine?
        /// The base URL at which it answered.
        var url: BaseURL
    }

    /// Takes the questions that are due now.
    func takeDue() -> [Question] {
        let now = time.now()
        let missing = fleet.probeNews.missing.take()
        return update { state in
            prune(&state)
            hasten(missing, &state)
            var questions: [Question] = []
            for (id, worker) in state.workers {
                if worker.inspectionDue <= now {
                    state.workers[id]?.inspectionDue = .never
                    questions.append(.inspection(worker))
                }
                if worker.loadDue <= now, let metrics = worker.engine.flatMap(EngineMetrics.of) {
                    state.workers[id]?.loadDue = .never
                    questions.append(.load(worker, metrics))
                }
            }
            return questions
        }
    }

    // A worker that answers calls with 404 but still lists the model is not asked more often than this.
    private static let leastInterval = Duration.seconds(1)

    /// Asks workers that lack a model which they have offered for their models ahead of time.
    private func hasten(_ missing: Set<MissingModels.Subject>, _ state: inout State) {
        let now = time.now()
        for subject in missing {
            for (id, worker) in state.workers
            where worker.deployed.contains(subject.model) && worker.deploymentID(subject.model) == subject.deployment {
                guard worker.failures == 0, worker.inspectionDue != .never else { continue }
                let earliest = worker.inspectionDue + (Self.leastInterval - options.interval)
                state.workers[id]?.inspectionDue = min(worker.inspectionDue, max(now, earliest))
            }
        }
    }

    /// The time until the next request is due; nil if none ever is.
    func timeUntilNext() -> Duration? {
        let now = time.now()
        return update { state in
            let due = state.workers.values.map { min($0.inspectionDue, $0.loadDue) }.min() ?? .never
            // Draining deployments are checked on, so that models and workers go together with the last of them.
            let next = state.leaving.isEmpty ? due : min(due, now + .milliseconds(500))
            return next == .never ? nil : max(.zero, next - now)
        }
    }

    /// Takes what a worker answered when it was asked for its models.
    /// - Returns: A sentence for the log, if something has changed.
    func inspected(_ asked: WorkerEntry, _ result: Result<Inspection, GatewayError>) -> String? {
        let now = time.now()
        return update { state in
            guard var entry = state.workers[asked.id], entry.number == asked.number, !entry.isLeaving else {
                return nil
            }
            defer {
                state.workers[entry.id] = entry
                noteOutlook(state)
            }
            guard asked.address.url == entry.address.url else {
                // A source has since written its address differently.
                entry.inspectionDue = now
                return nil
            }
            switch result {
            case .success(let inspection):
                return succeeded(inspection, &entry, &state, now: now)
            case .failure(let error):
                entry.failures += 1
                entry.problem = error.message
                if error.code == .loopDetected { return refuse(&entry, &state, now: now) }
                entry.inspectionDue = now + options.pause(afterFailures: entry.failures)
                return entry.failures == 1 ? "Worker \(entry.title) does not answer: \(error.message)" : nil
            }
        }
    }

    /// A worker that is this gateway gets no calls.
    private func refuse(_ entry: inout WorkerEntry, _ state: inout State, now: MonotonicInstant) -> String? {
        let wasKnown = entry.isOurselves
        entry.isOurselves = true
        // Nobody needs to wait for its models.
        entry.hasAnswered = true
        entry.problem = "It is this gateway itself and receives no calls; remove it."
        entry.inspectionDue = now + options.interval
        entry.models = []
        withdraw(entry.deployed, of: &entry, within: .zero, &state)
        return wasKnown ? nil : "Worker \(entry.title) is this gateway itself and receives no calls; remove it."
    }

    private func succeeded(
        _ inspection: Inspection,
        _ entry: inout WorkerEntry,
        _ state: inout State,
        now: MonotonicInstant
    ) -> String? {
        let wasWell = entry.hasAnswered && entry.failures == 0
        let before = Set(entry.models.map(\.id))
        entry.hasAnswered = true
        entry.isOurselves = false
        entry.failures = 0
        entry.problem = nil
        entry.engine = inspection.engine ?? entry.engine
        entry.models = inspection.models
        if entry.url != inspection.url {
            entry.url = inspection.url
            // Its deployments have a different address now.
            deploy(Array(entry.deployed), of: &entry, &state)
        }
        entry.inspectionDue = now + options.interval
        if entry.loadDue == .never, entry.engine.flatMap(EngineMetrics.of) != nil { entry.loadDue = now }
        let offered = Set(inspection.models.map(\.id))
        withdraw(entry.deployed.subtracting(offered), of: &entry, within: options.drainDeadline, &state)
        deploy(offered.subtracting(entry.deployed).sorted(), of: &entry, &state)
        if wasWell, before == offered { return nil }
        let engine = entry.engine?.kind.rawValue ?? "unknown engine"
        let models = inspection.models.map(\.id).joined(separator: ", ")
        return "Worker \(entry.title), \(engine), offers \(models.isEmpty ? "no model" : models)."
    }

    /// Takes what an engine said about its load; nil if it could not be asked.
    func loaded(_ asked: WorkerEntry, _ reading: EngineReading?) {
        let now = time.now()
        update { state in
            guard var entry = state.workers[asked.id], entry.number == asked.number, !entry.isLeaving else { return }
            // An engine that does not report its load is asked again after the next request for its models.
            entry.loadDue = reading == nil ? .never : now + options.loadInterval
            if let start = reading?.startTime {
                if let known = entry.engineStart, abs(known - start) > 1 {
                    entry.restarts += 1
                    deploy(Array(entry.deployed), of: &entry, &state)
                }
                entry.engineStart = start
            }
            state.workers[entry.id] = entry
            for model in entry.deployed {
                guard let group = try? fleet.group(model) else { continue }
                group.reported(entry.deploymentID(model), reading?.load, validFor: options.loadInterval * 5)
            }
        }
    }
}

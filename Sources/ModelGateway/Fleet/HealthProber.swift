// Asks deployments whether they are up, each at its own times.

internal import Synchronization

/// Probes the deployments of a fleet as their groups want it, for as long as ``run()`` runs.
package final class HealthProber: Sendable {
    /// Asks one deployment; throws if it does not answer as it should.
    package typealias Probe = @Sendable (Deployment, HealthOptions) async throws(GatewayError) -> Void

    // A deployment that was added is found within this time.
    private static let lookInterval = Duration.seconds(1)

    private let fleet: Fleet
    private let time: TimeSource
    private let probe: Probe
    /// When each deployment is due, by its id; never while its probe is under way.
    private let due = Mutex<[String: MonotonicInstant]>([:])

    /// Creates a prober.
    /// - Parameter probe: Asks one deployment; by default its server's `/health`, else its list of models.
    package init(_ fleet: Fleet, time: TimeSource = .system, probe: @escaping Probe = HealthProber.ask) {
        self.fleet = fleet
        self.time = time
        self.probe = probe
    }

    /// Probes until the task is cancelled.
    package func run() async {
        await withDiscardingTaskGroup { tasks in
            while !Task.isCancelled {
                for (group, deployment, options) in takeDue() {
                    tasks.addTask { await self.probe(deployment, of: group, options) }
                }
                do { try await time.sleep(pause()) } catch { return }
            }
        }
    }

    private func takeDue() -> [(GroupState, Deployment, HealthOptions)] {
        let now = time.now()
        let known = fleet.allGroups.flatMap { group -> [(GroupState, Deployment, HealthOptions)] in
            guard let options = group.healthOptions else { return [] }
            return group.deployments.map { (group, $0, options) }
        }
        return due.withLock { due in
            let ids = Set(known.map(\.1.id))
            due = due.filter { ids.contains($0.key) }
            let taken = known.filter { now >= due[$0.1.id] ?? now }
            for (_, deployment, _) in taken { due[deployment.id] = .never }
            return taken
        }
    }

    private func pause() -> Duration {
        let next = due.withLock { $0.values.min() ?? .never }
        return next == .never ? Self.lookInterval : max(.milliseconds(1), min(next - time.now(), Self.lookInterval))
    }

    private func probe(_ deployment: Deployment, of group: GroupState, _ options: HealthOptions) async {
        do {
            try await probe(deployment, options)
            group.probed(deployment.id, succeeded: true)
        } catch {
            switch AttemptOutcome(error) {
            case .failure: group.probed(deployment.id, succeeded: false)
            // The server is there; what it said is no matter of health.
            case .success, .rateLimited, .cancelled, .misconfigured: break
            }
        }
        let next = time.now() + (group.pauseAfterProbe(deployment.id) ?? .zero)
        due.withLock { due in
            if due[deployment.id] != nil { due[deployment.id] = next }
        }
    }

    /// Asks a server's `/health`; a server that has none, and every other provider, for its models.
    package static func ask(_ deployment: Deployment, _ options: HealthOptions) async throws(GatewayError) {
        let timeouts = Timeouts(
            connect: options.timeout,
            firstByte: options.timeout,
            idle: options.timeout,
            total: options.timeout
        )
        if let server = deployment.provider as? OpenAICompatibleProvider {
            let response = try await server.transport.send(
                HTTPTransportRequest(method: "GET", url: server.baseURL.root.appending("/health"), timeouts: timeouts)
            )
            switch response.status {
            case 200..<300:
                response.body.cancel()
                return
            case 500...: throw await response.failure()
            default: response.body.cancel()
            }
        }
        do {
            _ = try await deployment.provider.models(timeouts: timeouts)
        } catch .unsupported {
            // The provider cannot be asked; its calls will tell.
        }
    }
}

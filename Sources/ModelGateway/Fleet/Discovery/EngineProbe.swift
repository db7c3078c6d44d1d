// How a deployment is asked whether it is up: its server's own health endpoint, else its list of models.

internal import Synchronization

/// Asks deployments whether they are up. Remembers which servers have no health endpoint.
final class EngineProbe: Sendable {
    private let fleet: Fleet
    private let withoutHealth = Mutex<Set<String>>([])

    init(_ fleet: Fleet) {
        self.fleet = fleet
    }

    /// Returns if the deployment is up.
    ///
    /// Any answer below 500 shows that a server is up. But a deployment whose credentials were rejected is up again
    /// only when an endpoint that checks them accepts them, and `/health` does not.
    /// - Throws: The server's failure, or its rejection of the credentials of a deployment that is out because of them.
    func ask(_ deployment: Deployment, _ options: HealthOptions) async throws(GatewayError) {
        let timeouts = Timeouts(
            connect: options.timeout,
            firstByte: options.timeout,
            idle: options.timeout,
            total: options.timeout
        )
        let status = try? fleet.group(deployment.model).status(of: deployment.id)
        let isRejected = status?.modes.contains { $0.reasons.contains("misconfigured") } ?? false
        if !isRejected, let server = deployment.provider as? OpenAICompatibleProvider {
            if let path = options.path { return try await ask(server, path, timeouts) }
            if try await answersHealth(server, timeouts) { return }
        }
        do throws(GatewayError) {
            _ = try await deployment.provider.models(timeouts: timeouts)
        } catch {
            if error.code == .unsupported { return }
            guard !isRejected, let status = error.upstream?.status, (400..<500).contains(status) else { throw error }
        }
    }

    /// Asks for the path that an operator chose; only its success counts.
    private func ask(
        _ server: OpenAICompatibleProvider,
        _ path: String,
        _ timeouts: Timeouts
    ) async throws(GatewayError) {
        let response = try await server.get(path, timeouts: timeouts)
        response.body.discard()
        guard (200..<300).contains(response.status) else {
            throw GatewayError(.upstreamFailed, "The health path answered \(response.status).")
        }
    }

    /// Whether the server is up by its own word; false if it has no word to say.
    private func answersHealth(
        _ server: OpenAICompatibleProvider,
        _ timeouts: Timeouts
    ) async throws(GatewayError) -> Bool {
        let url = server.baseURL.server + "/health"
        guard !withoutHealth.withLock({ $0.contains(url) }) else { return false }
        let response = try await server.transport.send(
            HTTPTransportRequest(method: "GET", url: url, timeouts: timeouts)
        )
        response.body.discard()
        switch response.status {
        case 200..<300: return true
        case 500...:
            throw GatewayError(.upstreamFailed, "The health endpoint answered \(response.status).")
        default:
            withoutHealth.withLock { _ = $0.insert(url) }
            return false
        }
    }
}

// How a deployment is asked whether it is up: by its server's own health endpoint, or else by its list of models.

import GatewayWire
import Synchronization

/// Asks deployments whether they are up. Remembers which servers have no health endpoint.
final class EngineProbe: Sendable {
    private let withoutHealth = Lock<Set<String>>([])
    // Servers come and go; those that are still there are just asked once more.
    private static let mostWithoutHealth = 10_000

    /// Returns if the deployment is up.
    ///
    /// Any answer below 500 shows that a server is up. Whether it accepts the credentials is shown only by an endpoint
    /// that requires them, which `/health` does not.
    /// - Throws: The server's failure, or its rejection of credentials that are in doubt.
    func ask(_ question: ProbeQuestion) async throws(GatewayError) -> CredentialFinding {
        let limit = question.options.timeout
        let timeouts = Timeouts(connect: limit, firstByte: limit, idle: limit, total: limit)
        let provider = question.deployment.provider
        if question.asksForCredentials, try await acceptsCredentials(provider, timeouts) { return .accepted }
        if let server = provider as? OpenAICompatibleProvider {
            if let path = question.options.path {
                try await ask(server, path, timeouts)
                return .unknown
            }
            if try await answersHealth(server, timeouts) { return .unknown }
        }
        do throws(GatewayError) {
            _ = try await provider.models(timeouts: timeouts)
        } catch {
            if error.code == .unsupported { return .unknown }
            guard let status = error.upstream?.status, (400..<500).contains(status) else { throw error }
        }
        return .unknown
    }

    /// Whether the server lists its models to someone with the credentials; false if it has no such list.
    /// - Throws: The server's failure, or its rejection of the credentials.
    private func acceptsCredentials(_ provider: any Provider, _ timeouts: Timeouts) async throws(GatewayError) -> Bool {
        do throws(GatewayError) {
            _ = try await provider.models(timeouts: timeouts)
            return true
        } catch {
            if error.code == .unsupported || error.code == .malformedResponse { return false }
            guard error.code != .upstreamUnauthorized, error.code != .rateLimited, let status = error.upstream?.status,
                (400..<500).contains(status)
            else { throw error }
            return false
        }
    }

    /// Requests the path that an operator chose; only a success counts.
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

    /// Whether the server says that it is up; false if it has no endpoint for that.
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
            withoutHealth.withLock { known in
                if known.count >= Self.mostWithoutHealth { known.removeAll() }
                known.insert(url)
            }
            return false
        }
    }
}

// Finds out which engine a worker runs by asking for endpoints that only one engine has.

/// Tells engines apart.
package struct EngineDetector: Sendable {
    let client: EngineClient

    package init(_ client: EngineClient) {
        self.client = client
    }

    /// Which engine the worker runs: a generic one if it has none of those endpoints; nil if an endpoint could not be
    /// asked, so that a worker in trouble is not mistaken for a generic one forever.
    /// - Parameter models: The worker's answer at `/v1/models`.
    package func detect(_ models: [ModelInfo]) async -> Engine? {
        let owners = Set(models.compactMap(\.ownedBy))
        do throws(GatewayError) {
            if let named = EngineSignature.all.first(where: { $0.owner.map(owners.contains) ?? false }) {
                return Engine(kind: named.kind, version: try await answer(named).flatMap(named.version))
            }
            for signature in EngineSignature.all {
                guard let answer = try await answer(signature), signature.recognizes(answer) else { continue }
                return Engine(kind: signature.kind, version: signature.version(answer))
            }
            return Engine(kind: .generic)
        } catch {
            return nil
        }
    }

    private func answer(_ signature: EngineSignature) async throws(GatewayError) -> JSONValue? {
        for path in signature.paths {
            let answer = try await client.get(path)
            if answer.status == 200, let json = answer.json, json.object != nil { return json }
        }
        return nil
    }
}

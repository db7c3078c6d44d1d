// Refusals that are about the deployment and not about the request: no such model there, nothing left to pay with.

extension GatewayError {
    private static let codesOfMissingModels: Set<String> = ["model_not_found", "ModelNotFound", "DeploymentNotFound"]
    /// Codes and types of upstreams whose account is empty.
    static let codesOfQuotas: Set<String> = ["insufficient_quota", "insufficient_balance", "billing_not_active"]

    /// Whether the deployment answered that it does not have what was asked for: the model, or the whole endpoint.
    var isModelMissing: Bool {
        guard let upstream else { return false }
        if upstream.status == 404 { return true }
        return (400..<500).contains(upstream.status) && Self.codesOfMissingModels.contains(upstream.code ?? "")
    }

    /// Whether the account that the deployment is called with has nothing left to pay with.
    var isOutOfQuota: Bool {
        guard let upstream else { return false }
        if upstream.status == 402 { return true }
        return [400, 403, 429].contains(upstream.status)
            && (Self.codesOfQuotas.contains(upstream.code ?? "") || Self.codesOfQuotas.contains(upstream.type ?? ""))
    }

    /// Whether the failure is the deployment's own and says nothing against another one, nor that there is a rush.
    var isOwnToDeployment: Bool { isModelMissing || isOutOfQuota || code == .upstreamUnauthorized }

    /// The error for a client whose model none of its deployments has.
    func asMissingModel(_ model: String) -> GatewayError {
        var error = self
        error.code = .modelNotFound
        error.param = param ?? "model"
        if upstream.flatMap({ UpstreamErrorReport(body: $0.body) })?.message == nil {
            error.message = "No deployment of \(model.debugDescription) has the model any more (HTTP 404 of each)."
        }
        return error
    }
}

extension UpstreamErrorReport {
    /// Whether the account that the request was sent with has nothing left to pay with.
    var isOutOfQuota: Bool {
        GatewayError.codesOfQuotas.contains(code ?? "") || GatewayError.codesOfQuotas.contains(type ?? "")
    }
}

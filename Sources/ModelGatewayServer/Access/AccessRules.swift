// Who may do what: clients call models, admins see and change the fleet.

import ModelGateway

/// What a request shows of its sender.
struct Credentials {
    /// The value of `Authorization`.
    var authorization: String?
    /// The value of `x-api-key`.
    var apiKey: String?
    /// The host that the request was sent to, by its own account.
    var host: String?
    /// Whether a proxy or another gateway passed the request on, so that the peer is not its sender.
    var isForwarded = false
    /// Whether the other end of the connection is on this machine.
    var isPeerLocal = false

    /// Whether there is no key.
    var areMissing: Bool { authorization == nil && apiKey == nil }
}

/// Decides who a caller is.
///
/// An endpoint asks for the kind of access that it needs: ``admit(_:as:)``. An admin may do what a client may.
struct AccessRules: Sendable {
    private let clients: AccessKeys
    private let admins: AccessKeys
    private let metricsKey: AccessKeys
    private let areMetricsPublic: Bool
    let hosts: TrustedHosts

    init(_ options: ServerOptions) {
        clients = AccessKeys(options.apiKeys)
        admins = AccessKeys(options.adminKeys)
        metricsKey = AccessKeys(options.metricsKey.map { [$0] } ?? [])
        areMetricsPublic = options.isMetricsPublic
        hosts = TrustedHosts(options)
    }

    /// Whether the control plane is open to programs on this machine, because no admin has a key.
    var trustsThisMachine: Bool { admins.isEmpty }

    /// Who the caller is; nil if keys are needed and the credentials have none of them.
    func caller(_ credentials: Credentials) -> Caller? {
        if admins.admit(credentials) { return .admin }
        guard clients.isEmpty || clients.admit(credentials) else { return nil }
        return trustsThisMachine && isFromThisMachine(credentials) ? .admin : .client
    }

    /// Who the caller is.
    /// - Throws: ``GatewayError/Code/unauthenticated`` for a key that is missing or unknown,
    ///   ``GatewayError/Code/permissionDenied`` for one that is known but does not suffice.
    @discardableResult
    func admit(_ credentials: Credentials, as needed: Caller) throws(GatewayError) -> Caller {
        guard let caller = caller(credentials) else { throw .badKey(isMissing: credentials.areMissing) }
        guard needed == .admin, caller != .admin else { return caller }
        if trustsThisMachine { throw .noAdminKey }
        if credentials.areMissing || !clients.admit(credentials) { throw .badKey(isMissing: credentials.areMissing) }
        throw GatewayError(.permissionDenied, "This requires an admin's key ('server.admin_keys'), not a client's.")
    }

    /// Lets in who may read the metrics: everyone if that is configured, or holders of the metrics key, and clients that
    /// may call. With a key of their own they are not open just because calls are.
    /// - Throws: ``GatewayError/Code/unauthenticated``.
    func admitToMetrics(_ credentials: Credentials) throws(GatewayError) {
        if areMetricsPublic || metricsKey.admit(credentials) || admins.admit(credentials) { return }
        if clients.isEmpty, metricsKey.isEmpty { return }
        guard clients.admit(credentials) else { throw .badKey(isMissing: credentials.areMissing) }
    }

    /// A web page whose name was pointed at this machine sends its own name as the host.
    private func isFromThisMachine(_ credentials: Credentials) -> Bool {
        credentials.isPeerLocal && !credentials.isForwarded && hosts.trust(credentials.host)
    }
}

extension GatewayError {
    /// No key, or one that is not configured.
    static func badKey(isMissing: Bool) -> GatewayError {
        GatewayError(
            .unauthenticated,
            isMissing
                ? "No API key was given. Send it as 'Authorization: Bearer KEY'."
                : "The API key is not valid for this gateway."
        )
    }

    /// Only this machine is trusted, and the request is not from it.
    fileprivate static var noAdminKey: GatewayError {
        GatewayError(
            .permissionDenied,
            "No admin key is configured, so this works only from the gateway's own machine; "
                + "set 'server.admin_keys' and send one of them."
        )
    }

    /// A client has named the deployment that it wants.
    static var deploymentIsForAdmins: GatewayError {
        GatewayError(
            .permissionDenied,
            "Only an admin may choose the deployment of a call; leave out the header 'x-gateway-deployment'.",
            param: "x-gateway-deployment"
        )
    }
}

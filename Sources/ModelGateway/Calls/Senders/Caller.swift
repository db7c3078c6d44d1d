// Who makes a call, as far as that decides what is allowed and what is shown.

/// Who makes a call: somebody who uses models, or somebody who runs the gateway.
public enum Caller: Sendable, Hashable {
    /// Uses models. Deployments, workers and their addresses are none of a client's business.
    case client
    /// Runs the gateway: may choose the deployment of a call, and sees which one answered.
    case admin
}

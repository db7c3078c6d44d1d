// The limits of size and time that a connection is held to, in the units of its decisions.

import NIOCore

/// What a client may send and how long it may take.
struct ConnectionLimits: Sendable {
    /// The largest body of a model call.
    var maxBodyBytes = 64 << 20
    /// The largest body that is read to its end only to keep the connection of a refused request.
    var maxDiscardedBytes = 1 << 20
    /// The times of ``ServerOptions``; zero: no limit.
    var headTimeout = TimeAmount.zero
    var bodyTimeout = TimeAmount.zero
    var idleTimeout = TimeAmount.zero
    var writeTimeout = TimeAmount.zero
    var keepAliveInterval = TimeAmount.zero
    /// How long a connection is read on after its last response, to let the client see that response.
    var lingerTime = TimeAmount.seconds(2)

    init() {}

    init(_ options: ServerOptions) {
        maxBodyBytes = options.maxBodyBytes
        headTimeout = TimeAmount(options.headTimeout)
        bodyTimeout = TimeAmount(options.bodyTimeout)
        idleTimeout = TimeAmount(options.idleTimeout)
        writeTimeout = TimeAmount(options.writeTimeout)
        keepAliveInterval = TimeAmount(options.keepAliveInterval)
    }

    /// Whether a limit has been reached.
    static func isOver(_ limit: TimeAmount, since start: NIODeadline, at now: NIODeadline) -> Bool {
        limit > .zero && now - start >= limit
    }
}

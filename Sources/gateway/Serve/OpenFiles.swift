// The descriptors of `gateway serve`: as many as the system gives, shared out so that none is missing where it matters.

import GatewaySystem
import Logging
import ModelGateway
import ModelGatewayServer

enum OpenFiles {
    /// Raises the process's limit as far as it may go, and shares out what there is.
    /// - Returns: How many clients may be connected at a time.
    static func share(for server: Configuration.Server, logger: Logger) throws(CommandFailure) -> Int {
        let limit = OpenFileLimit.raise()
        guard let plan = ConnectionPlan.ofProcess(clients: server.maxConnections) else {
            throw CommandFailure(
                .unavailable,
                "the limit of open files is \(limit), and a server needs \(ConnectionPlan.leastOfProcess) on this machine; raise it with 'ulimit -n'"
            )
        }
        if let wanted = server.maxConnections, wanted > plan.clients {
            logger.warning(
                "The limit of open files leaves no room for server.max_connections; raise it with 'ulimit -n'.",
                metadata: ["max_connections": "\(wanted)", "possible": "\(plan.clients)", "open_files": "\(limit)"]
            )
        }
        ConnectionRoom.process.set(limit: plan.upstream, idleLimit: plan.idle)
        logger.debug(
            "Descriptors are shared out.",
            metadata: ["open_files": "\(limit)", "clients": "\(plan.clients)", "providers": "\(plan.upstream)"]
        )
        return plan.clients
    }
}

// The log of the process: to standard error, so that standard output is the program's own.

import Logging
import ModelGateway
import ModelGatewayTelemetry

enum CommandLog {
    /// Sets the process's log up. Call it once.
    static func start(_ configuration: Configuration.Logging) -> Logger {
        LoggingSystem.bootstrap { label in
            GatewayLogHandler(label: label, format: configuration.format, level: configuration.level)
        }
        return Logger(label: "gateway")
    }

    /// The same log for parts whose everyday messages nobody needs.
    static func quiet(_ logger: Logger) -> Logger {
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        return quiet
    }
}

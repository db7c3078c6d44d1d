// Reading the configuration file that a command was given.

import GatewaySystem
import ModelGateway

enum ConfigurationFiles {
    /// Reads a file and lets the environment win over it. Its warnings are the caller's to report, once.
    static func load(_ path: String) throws -> Configuration {
        do throws(SystemError) {
            try OpenFile.checkReadable(path)
        } catch {
            throw CommandFailure(.noInput, "cannot read the configuration \(path): \(error); check the path")
        }
        let diagnosis = Configuration.diagnose(path: path)
        guard let configuration = diagnosis.configuration else { throw CommandFailure(diagnosis.mistakes) }
        return configuration
    }

    /// Says on standard error what has no effect, for commands without a log.
    static func report(_ warnings: [ConfigurationIssue]) {
        for warning in warnings { StandardStream.error.writeNow("\(warning)\n") }
    }

    /// Refuses a file that says nothing of what to ask or serve: to choose another model would surprise its author.
    static func requireModels(_ configuration: Configuration, _ path: String) throws(CommandFailure) {
        guard configuration.hasNoModels else { return }
        let reason = configuration.warnings.isEmpty ? "" : " (the warnings above say what was left out)"
        throw CommandFailure(
            .configuration,
            "the configuration \(path) has no models that can be served\(reason); add 'models', 'local_models' or 'workers'"
        )
    }
}

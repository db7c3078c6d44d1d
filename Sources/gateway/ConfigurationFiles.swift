// Reading the configuration file that a command was given.

import ModelGateway

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

enum ConfigurationFiles {
    /// Reads a file and lets the environment win over it. Warnings go to standard error.
    static func load(_ path: String) throws -> Configuration {
        guard access(path, R_OK) == 0 else {
            let reason = String(cString: strerror(errno))
            throw CommandFailure(.noInput, "cannot read the configuration \(path): \(reason); check the path")
        }
        let configuration = try Configuration.diagnose(path: path).get()
        for warning in configuration.warnings { StandardStream.error.writeNow("\(warning)\n") }
        return configuration
    }
}

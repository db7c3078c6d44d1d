// Reads files that belong to the configuration, with a limit on their size and reasons that people understand.

import GatewaySystem

package enum ConfigurationFile {
    package struct Failure: Error {
        package var message: String
    }

    /// The content of a file or pipe that is not larger than the limit.
    package static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let content: [UInt8]?
        do throws(SystemError) {
            content = try OpenFile.content(of: path, limit: limit)
        } catch {
            throw failure(error)
        }
        guard let content else { throw Failure(message: "it is larger than \(SizeText.format(limit))") }
        return content
    }

    private static func failure(_ error: SystemError) -> Failure {
        switch error {
        case .noSuchFile: Failure(message: "it does not exist")
        case .accessDenied, .notPermitted: Failure(message: "permission denied")
        case .isDirectory: Failure(message: "it is a directory")
        default: Failure(message: "\(error)")
        }
    }
}

// A file that a command reads whole.

import GatewaySystem

enum InputFile {
    /// The bytes of a file, at most as many as are read from standard input.
    static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
        let bytes: [UInt8]?
        do {
            bytes = try OpenFile.content(of: path, limit: StandardInput.limit)
        } catch {
            throw CommandFailure(.noInput, "cannot read \(path): \(error)")
        }
        guard let bytes else { throw CommandFailure(.badData, "the file \(path) is larger than 64 MiB") }
        return bytes
    }
}

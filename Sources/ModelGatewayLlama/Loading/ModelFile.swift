// The first look at a model file, before llama.cpp gets it: is it there, readable, and a GGUF file at all?

import GatewaySystem
import ModelGateway

/// What a model file says about itself before it is loaded.
struct ModelFile {
    /// The file's name without directory and `.gguf`.
    let name: String
    /// Seconds since 1970 at which the file was last changed.
    let modified: Int

    /// Looks at a file.
    /// - Throws: ``GatewayError/Code/modelLoadFailed`` that says what is wrong with it.
    init(path: String) throws(GatewayError) {
        let (status, header) = try Self.look(at: path)
        guard status.isRegular else {
            throw Self.failure(path, "it is not a regular file. Give the path of a GGUF file")
        }
        // "GGUF", then the version in four bytes, then two counts of 64 bits each.
        guard header.starts(with: "GGUF".utf8) else {
            throw Self.failure(path, "it is not a GGUF file. Give the path of one")
        }
        guard status.size >= 24 else {
            throw Self.failure(path, "it is cut off after \(status.size) bytes. Download it again")
        }
        guard header.dropFirst(4).prefix(2).contains(where: { $0 != 0 }) else {
            throw Self.failure(path, "it was made for big-endian machines. Get it for little-endian ones")
        }
        modified = status.modified
        let file = path.split(separator: "/").last.map(String.init) ?? path
        name = file.hasSuffix(".gguf") ? String(file.dropLast(5)) : file
    }

    /// The status and the first eight bytes of a file; no bytes of what is not a regular one.
    private static func look(at path: String) throws(GatewayError) -> (FileStatus, header: [UInt8]) {
        let file: OpenFile
        do throws(SystemError) {
            file = try OpenFile(path)
        } catch .noSuchFile {
            throw failure(path, "there is no such file. Give the path of a GGUF file, or run scripts/setup")
        } catch {
            throw failure(path, "it cannot be opened: \(error)")
        }
        do throws(SystemError) {
            let status = try file.status()
            return (status, status.isRegular ? try file.read(atMost: 8) : [])
        } catch {
            throw failure(path, "it cannot be read: \(error)")
        }
    }

    static func failure(_ path: String, _ reason: String) -> GatewayError {
        GatewayError(.modelLoadFailed, "The model \(path) could not be loaded: \(reason).")
    }
}

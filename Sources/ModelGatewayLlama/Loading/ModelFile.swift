// The first look at a model file, before llama.cpp gets it: is it there, readable, and a GGUF file at all?

import ModelGateway

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a model file says about itself before it is loaded.
struct ModelFile {
    /// The file's name without directory and `.gguf`.
    let name: String
    /// Seconds since 1970 at which the file was last changed.
    let modified: Int

    /// Looks at a file.
    /// - Throws: ``GatewayError/Code/modelLoadFailed`` that says what is wrong with it.
    init(path: String) throws(GatewayError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = errno
            if reason == ENOENT {
                throw Self.failure(path, "there is no such file. Give the path of a GGUF file, or run scripts/setup")
            }
            throw Self.failure(path, "it cannot be opened: \(String(cString: strerror(reason)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw Self.failure(path, "it cannot be examined: \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Self.failure(path, "it is not a regular file. Give the path of a GGUF file")
        }
        var header: (UInt32, UInt32) = (0, 0)
        let count = read(descriptor, &header, 8)
        guard count >= 0 else {
            throw Self.failure(path, "it cannot be read: \(String(cString: strerror(errno)))")
        }
        // "GGUF", then the version, then two counts of 64 bits each.
        guard count >= 4, UInt32(littleEndian: header.0) == 0x4655_4747 else {
            throw Self.failure(path, "it is not a GGUF file. Give the path of one")
        }
        guard status.st_size >= 24 else {
            throw Self.failure(path, "it is cut off after \(status.st_size) bytes. Download it again")
        }
        guard UInt32(littleEndian: header.1) & 0xFFFF != 0 else {
            throw Self.failure(path, "it was made for big-endian machines. Get it for little-endian ones")
        }
        #if canImport(Darwin)
        modified = status.st_mtimespec.tv_sec
        #else
        modified = Int(status.st_mtim.tv_sec)
        #endif
        let file = path.split(separator: "/").last.map(String.init) ?? path
        name = file.hasSuffix(".gguf") ? String(file.dropLast(5)) : file
    }

    static func failure(_ path: String, _ reason: String) -> GatewayError {
        GatewayError(.modelLoadFailed, "The model \(path) could not be loaded: \(reason).")
    }
}

// A file that a command reads whole.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

enum InputFile {
    /// The bytes of a file, at most as many as are read from standard input.
    static func read(_ path: String) throws(CommandFailure) -> [UInt8] {
        guard let file = fopen(path, "rb") else { throw failure(path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            bytes += buffer.prefix(count)
            guard bytes.count <= StandardInput.limit else {
                throw CommandFailure(.badData, "the file \(path) is larger than 64 MiB")
            }
            if count < buffer.count {
                guard ferror(file) == 0 else { throw failure(path) }
                return bytes
            }
        }
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.noInput, "cannot read \(path): \(String(cString: strerror(errno)))")
    }
}

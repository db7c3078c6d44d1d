// Reads files that belong to the configuration, with a limit on their size and reasons that people understand.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

enum ConfigurationFile {
    struct Failure: Error {
        var message: String
    }

    /// The content of a file or pipe that is not larger than the limit.
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure() }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw Failure(message: "it is a directory") }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure() }
            if count == 0 { return content }
            content += buffer[..<count]
            guard content.count <= limit else {
                throw Failure(message: "it is larger than \(SizeText.format(limit))")
            }
        }
    }

    private static func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Glibc)
        Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
        Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #else
        Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }

    private static func failure() -> Failure {
        switch errno {
        case ENOENT: Failure(message: "it does not exist")
        case EACCES, EPERM: Failure(message: "the permission is missing")
        default: Failure(message: String(cString: strerror(errno)))
        }
    }
}

// A file that is open for reading.

import SystemPackage

/// An open file, which is closed at the end of this value.
package struct OpenFile: ~Copyable {
    private let stream: StreamDescriptor

    /// - Parameter waits: Whether opening a named pipe waits for a writer, and reading it for what is written.
    package init(_ path: String, waits: Bool = true) throws(SystemError) {
        let options: FileDescriptor.OpenOptions = waits ? .closeOnExec : [.closeOnExec, .nonBlocking]
        let descriptor = try SystemError.catching {
            // Not as a `FilePath`, which leaves out a slash at the end: `file/` is not a file.
            try path.withCString { try FileDescriptor.open($0, .readOnly, options: options) }
        }
        stream = StreamDescriptor(descriptor: descriptor.rawValue)
    }

    deinit {
        stream.close()
    }

    package func status() throws(SystemError) -> FileStatus {
        let descriptor = FileDescriptor(rawValue: stream.descriptor)
        return FileStatus(try SystemError.catching { try descriptor.stat() })
    }

    /// What comes next, up to the end or to a number of bytes. Who must tell whether there is more asks for one byte more.
    package func read(atMost limit: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let some = try stream.read(atMost: min(64 << 10, limit - bytes.count))
            if some.isEmpty { break }
            bytes += some
        }
        return bytes
    }

    /// The whole of a file or pipe; nil if it is larger than the limit.
    package static func content(of path: String, limit: Int) throws(SystemError) -> [UInt8]? {
        let bytes = try OpenFile(path).read(atMost: limit + 1)
        return bytes.count > limit ? nil : bytes
    }

    /// Asks the system whether this process may read a file.
    /// - Throws: Why it may not.
    package static func checkReadable(_ path: String) throws(SystemError) {
        try FileAccess.check(path, isForReading: true)
    }

    /// Whether there is something at a path.
    package static func exists(_ path: String) -> Bool {
        do { try FileAccess.check(path, isForReading: false) } catch { return false }
        return true
    }
}

// The file of a Unix domain socket: what is there before it is listened on, its mode, its end.

import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that a server is to listen on.
///
/// The server listens under another name first. The file gets its mode there, and then its own name at once: nobody can
/// connect before the mode holds, and one that an earlier process has left behind is replaced.
package struct SocketFile: Sendable {
    /// What is at a path.
    package enum Occupant: Sendable, Hashable {
        case nothing
        /// A socket that nobody listens on: a process has ended without removing it.
        case abandoned
        /// A socket on which a process listens.
        case listener
        /// A file of another kind.
        case file
    }

    package let path: String
    /// The name under which the server begins to listen.
    package var firstPath: String { "\(path).new" }

    package init(_ path: String) {
        self.path = path
    }

    /// The longest path that the system takes, without room for the first name.
    package static let longestPath = 99

    /// What is at the path now.
    package var occupant: Occupant {
        guard let status = Self.status(of: path) else { return .nothing }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return .file }
        return Self.isListened(path) ? .listener : .abandoned
    }

    /// Removes what is left of an earlier start under the first name.
    package func clear() {
        if let status = Self.status(of: firstPath), status.st_mode & S_IFMT == S_IFSOCK { unlink(firstPath) }
    }

    /// Gives the socket its mode and its name.
    /// - Returns: What tells the file from one that another process puts in its place.
    package func publish(mode: Int) throws(SystemError) -> Identity {
        guard chmod(firstPath, mode_t(mode)) == 0, let status = Self.status(of: firstPath),
            rename(firstPath, path) == 0
        else {
            let error = SystemError(number: errno)
            unlink(firstPath)
            throw error
        }
        return Identity(device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Removes the file, unless another process has put its own in its place.
    package func remove(_ identity: Identity) {
        guard let status = Self.status(of: path),
            identity
                == Identity(device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino))
        else { return }
        unlink(path)
    }

    /// A file as the system tells it from others.
    package struct Identity: Sendable, Hashable {
        fileprivate let device: UInt64
        fileprivate let inode: UInt64
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    /// Whether somebody takes connections there.
    private static func isListened(_ path: String) -> Bool {
        #if canImport(Glibc)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        #elseif canImport(Musl)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM | SOCK_CLOEXEC), 0)
        #else
        let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        // A full queue of waiting connections is one of a process that listens, too.
        return result == 0 || errno != ECONNREFUSED
    }
}

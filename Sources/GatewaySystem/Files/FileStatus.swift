// What the system says about a file without its content being read.

import CGatewaySystem
import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file's kind and size, and what tells two states of it apart: equal ones are of the same file, unchanged.
package struct FileStatus: Sendable, Hashable {
    package let isRegular: Bool
    /// In bytes.
    package let size: Int
    /// Seconds since 1970 at the last change of the content.
    package let modified: Int

    private let device: UInt64
    private let inode: UInt64
    private let modifiedNanoseconds: Int

    init(_ status: Stat) {
        isRegular = status.type == .regular
        size = Int(status.size)
        modified = Int(status.st_mtim.tv_sec)
        modifiedNanoseconds = Int(status.st_mtim.tv_nsec)
        device = UInt64(truncatingIfNeeded: status.deviceID.rawValue)
        inode = UInt64(truncatingIfNeeded: status.inode.rawValue)
    }
}

/// The system's own check of what a process may do with a file.
enum FileAccess {
    static func check(_ path: String, isForReading: Bool) throws(SystemError) {
        if access(path, isForReading ? R_OK : F_OK) != 0 { throw SystemError(number: errno) }
    }
}

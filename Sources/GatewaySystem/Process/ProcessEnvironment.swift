// What the process was started with: its environment, and the user whose process it is.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

package enum ProcessEnvironment {
    /// The value of a variable; nil if it is not set.
    package static subscript(name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// The value of a variable; nil if it is not set or empty.
    package static func nonempty(_ name: String) -> String? {
        self[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// `$HOME`, else what the system has for the user.
    package static var homeDirectory: String? {
        if let home = nonempty("HOME") { return home }
        guard let entry = getpwuid(getuid()), let home = entry.pointee.pw_dir else { return nil }
        return String(cString: home)
    }
}

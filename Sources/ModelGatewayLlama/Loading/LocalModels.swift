// Where model files are on this machine: the per-user directory that scripts/setup fills.

import ModelGateway

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The model files of the user who runs the program.
public enum LocalModels {
    /// The file name of the small chat model that `scripts/setup` installs.
    public static let defaultFileName = "SmolLM2-135M-Instruct.Q4_1.gguf"

    /// `$XDG_DATA_HOME/modelgateway/models`, or `~/.local/share/modelgateway/models` if the variable is not set.
    public static var directory: String {
        if let data = environment("XDG_DATA_HOME"), data.hasPrefix("/") {
            return data + "/modelgateway/models"
        }
        return (homeDirectory ?? "/var/lib") + "/.local/share/modelgateway/models"
    }

    /// Where the small chat model is once `scripts/setup` has run.
    public static var defaultModelPath: String { directory + "/" + defaultFileName }

    /// The file that a name means: a path (it contains a `/` or names an existing file), or a file in ``directory``
    /// with or without its `.gguf`.
    public static func path(for name: String) -> String {
        if name.contains("/") || access(name, F_OK) == 0 { return name }
        let candidate = directory + "/" + name
        return candidate.hasSuffix(".gguf") || access(candidate, F_OK) == 0 ? candidate : candidate + ".gguf"
    }

    private static var homeDirectory: String? {
        if let home = environment("HOME") { return home }
        guard let entry = getpwuid(getuid()), let home = entry.pointee.pw_dir else { return nil }
        return String(cString: home)
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

// Where model files are on this machine: the per-user directory that scripts/setup fills.

import GatewaySystem
import ModelGateway

/// The model files of the user who runs the program.
public enum LocalModels {
    /// The file name of the small chat model that `scripts/setup` installs.
    public static let defaultFileName = "SmolLM2-135M-Instruct.Q4_1.gguf"

    /// `$XDG_DATA_HOME/modelgateway/models`, or `~/.local/share/modelgateway/models` if the variable is not set.
    public static var directory: String {
        if let data = ProcessEnvironment.nonempty("XDG_DATA_HOME"), data.hasPrefix("/") {
            return data + "/modelgateway/models"
        }
        return (ProcessEnvironment.homeDirectory ?? "/var/lib") + "/.local/share/modelgateway/models"
    }

    /// Where the small chat model is once `scripts/setup` has run.
    public static var defaultModelPath: String { directory + "/" + defaultFileName }

    /// The file that a name means: a path (it contains a `/` or names an existing file), or a file in ``directory``
    /// with or without its `.gguf`.
    public static func path(for name: String) -> String {
        if name.contains("/") || OpenFile.exists(name) { return name }
        let candidate = directory + "/" + name
        return candidate.hasSuffix(".gguf") || OpenFile.exists(candidate) ? candidate : candidate + ".gguf"
    }
}

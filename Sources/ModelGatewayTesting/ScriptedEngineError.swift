// What goes wrong with a scripted engine.

/// Why a wait for a scripted engine failed.
public struct ScriptedEngineError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

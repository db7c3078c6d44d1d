// A value that must never be seen: keys, tokens, header values.

/// A credential. Printing, interpolating, dumping or reflecting it shows `***`.
///
/// The only way to the value is ``reveal()``, so that each place where a credential leaves the process can be found.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps a credential.
    public init(_ value: String) {
        self.value = value
    }

    /// The credential itself.
    public func reveal() -> String { value }

    /// Whether there is nothing in it.
    package var isEmpty: Bool { value.isEmpty }

    public var description: String { "***" }
    public var debugDescription: String { "***" }
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

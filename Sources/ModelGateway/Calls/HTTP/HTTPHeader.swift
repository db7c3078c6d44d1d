// One line of a request's or a response's head.

import GatewayWire

/// One header line. Names are compared without regard to case.
public struct HTTPHeader: Sendable, Hashable {
    /// The field name, such as `content-type`.
    public var name: String
    /// The field value, without surrounding white space.
    public var value: String

    /// Creates a header line.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether the line has this name; ASCII case does not matter.
    public func isNamed(_ name: String) -> Bool {
        self.name.equalsIgnoringCase(name)
    }
}

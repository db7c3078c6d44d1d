// What a scripted engine has seen: requests and connections.

public import ModelGateway

/// A request that a scripted engine received whole.
public struct RecordedRequest: Sendable {
    /// The connection that it came on, counted from 0 in the order in which they were accepted.
    public let connection: Int
    /// Its place on that connection, counted from 0.
    public let indexOnConnection: Int
    /// The method, such as `POST`.
    public let method: String
    /// The request target as it was sent: path and query, or an absolute URL for a proxy.
    public let target: String
    /// The header lines in the order in which they came.
    public let headers: [HTTPHeader]
    /// The body, with chunked encoding removed.
    public let body: [UInt8]

    /// The target without its query.
    public var path: String { String(target.prefix { $0 != "?" }) }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The value of the first header line of that name, without regard to case.
    public func header(_ name: String) -> String? {
        headers.first { $0.isNamed(name) }?.value
    }
}

/// A connection that a scripted engine accepted.
public struct RecordedConnection: Sendable {
    /// Its number, counted from 0.
    public let index: Int
    /// When it was accepted.
    public let opened: ContinuousClock.Instant
    /// When it ended, whoever ended it; nil while it is open.
    public internal(set) var closed: ContinuousClock.Instant?
    /// Whether the client ended it: with a FIN or RST, before the script did.
    public internal(set) var wasClosedByClient = false
    /// Each byte that came in on it.
    public internal(set) var received: [UInt8] = []
    /// How many bytes the kernel took from the script.
    public internal(set) var sent = 0
}

/// Why a wait for a scripted engine failed.
public struct ScriptedEngineError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

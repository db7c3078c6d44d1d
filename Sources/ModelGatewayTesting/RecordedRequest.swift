// A request that a scripted engine has seen.

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

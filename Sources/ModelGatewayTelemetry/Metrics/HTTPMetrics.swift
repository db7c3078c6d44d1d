// The metrics of requests over HTTP, whatever server they come through.

public import CoreMetrics
import GatewayWire
internal import ModelGateway
import Synchronization

/// Counts requests, their durations and bytes, and connections.
public final class HTTPMetrics: Sendable {
    private struct Key: Hashable {
        var endpoint: String
        var statusClass: Int
    }

    private struct Handles {
        var requests: Counter
        var duration: CoreMetrics.Timer
    }

    private let factory: any MetricsFactory
    private let endpoints: Set<String>
    private let handles = Lock<[Key: Handles]>([:])
    private let connections: Meter
    private let requestBytes: Counter
    private let responseBytes: Counter

    /// Creates the metrics of a server.
    /// - Parameters:
    ///   - endpoints: The paths that have a label value of their own; all others are counted as `other`.
    ///   - factory: Where the numbers go. Default: what the program gave to `MetricsSystem.bootstrap`.
    public init(endpoints: Set<String>, factory: any MetricsFactory = MetricsSystem.factory) {
        self.endpoints = endpoints
        self.factory = factory
        connections = Meter(label: "gateway_http_connections", factory: factory)
        requestBytes = Counter(label: "gateway_http_request_bytes_total", factory: factory)
        responseBytes = Counter(label: "gateway_http_response_bytes_total", factory: factory)
    }

    /// A client has connected.
    public func connectionOpened() { connections.increment() }

    /// A connection is closed.
    public func connectionClosed() { connections.decrement() }

    /// A certificate of the server has been read.
    /// - Parameters:
    ///   - name: A name that it is for.
    ///   - time: When it expires, in seconds since 1970.
    public func certificateLoaded(_ name: String, expiresAt time: Int) {
        Meter(label: Self.certificateExpiry, dimensions: [("name", name)], factory: factory).set(time)
    }

    /// Counts a finished request.
    public func requestFinished(path: String, status: Int, duration: Duration, bytesIn: Int, bytesOut: Int) {
        let endpoint = endpoints.contains(path) ? path : "other"
        let handles = handles(Key(endpoint: endpoint, statusClass: min(max(status / 100, 1), 5)))
        handles.requests.increment()
        handles.duration.recordNanoseconds(duration.inNanoseconds)
        requestBytes.increment(by: bytesIn)
        responseBytes.increment(by: bytesOut)
    }

    private func handles(_ key: Key) -> Handles {
        handles.withLock { handles in
            if let found = handles[key] { return found }
            let labels = [("endpoint", key.endpoint), ("status", "\(key.statusClass)xx")]
            let made = Handles(
                requests: Counter(label: "gateway_http_requests_total", dimensions: labels, factory: factory),
                duration: CoreMetrics.Timer(
                    label: "gateway_http_request_duration_seconds",
                    dimensions: labels,
                    factory: factory
                )
            )
            handles[key] = made
            return made
        }
    }

    private static let certificateExpiry = "gateway_tls_certificate_expiry_seconds"

    static let descriptions: [MetricDescription] = [
        MetricDescription(
            name: "gateway_http_requests_total",
            kind: .counter,
            labels: ["endpoint", "status"],
            help: "Finished requests by endpoint and class of status, such as 2xx."
        ),
        MetricDescription(
            name: "gateway_http_request_duration_seconds",
            kind: .histogram,
            labels: ["endpoint", "status"],
            help: "Time from a request's head to the end of its response, in seconds.",
            buckets: MetricDescription.durationBuckets
        ),
        MetricDescription(
            name: "gateway_http_connections",
            kind: .gauge,
            labels: [],
            help: "Open connections of clients."
        ),
        MetricDescription(
            name: "gateway_http_request_bytes_total",
            kind: .counter,
            labels: [],
            help: "Bytes of request bodies."
        ),
        MetricDescription(
            name: "gateway_http_response_bytes_total",
            kind: .counter,
            labels: [],
            help: "Bytes of response bodies."
        ),
        MetricDescription(
            name: certificateExpiry,
            kind: .gauge,
            labels: ["name"],
            help: "When a certificate of the server expires, in seconds since 1970, by its first name."
        ),
    ]
}

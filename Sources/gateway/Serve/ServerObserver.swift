// What feeds the server's metrics and its access log: finished calls of the gateway, finished requests of the server.

import CoreMetrics
import GatewayWire
import Logging
import ModelGateway
import ModelGatewayServer
import ModelGatewayTelemetry
import Synchronization

/// Counts, and writes one line for each request: what the server knows of it together with what the gateway knows.
final class ServerObserver: CallObserver, RequestObserver {
    private static let endpoints: Set<String> = [
        "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/models", "/health", "/readiness", "/liveness",
        "/metrics",
    ]
    private static let pendingLimit = 10_000

    /// Makes the body of `/metrics`; nil if it is not served.
    let metricsText: (@Sendable () -> [UInt8])?
    private let callMetrics: GatewayMetrics?
    private let requestMetrics: HTTPMetrics?
    private let log: RequestLog?
    /// Calls whose request is not over yet, by request id.
    private let pending = Lock<[String: CallRecord]>([:])

    init(_ configuration: Configuration) throws(GatewayError) {
        if configuration.server.metrics {
            let metrics = PrometheusMetrics(seriesLimit: configuration.server.metricsMaxSeries)
            MetricsSystem.bootstrap(metrics)
            metricsText = { metrics.render() }
            callMetrics = GatewayMetrics(factory: metrics)
            requestMetrics = HTTPMetrics(endpoints: Self.endpoints, factory: metrics)
        } else {
            metricsText = nil
            callMetrics = nil
            requestMetrics = nil
        }
        let isLogged = configuration.server.accessLog && configuration.logging.level <= .info
        log = isLogged ? try RequestLog(format: configuration.logging.format) : nil
    }

    /// Writes what is still to be written.
    func close() {
        log?.close()
    }

    func callFinished(_ record: CallRecord) {
        callMetrics?.callFinished(record)
        guard log != nil else { return }
        pending.withLock { pending in
            // A call that ends after its request, because the client went away, is never asked for.
            if pending.count >= Self.pendingLimit { pending.removeAll() }
            pending[record.requestID] = record
        }
    }

    func deploymentRetired(_ id: String) {
        callMetrics?.deploymentRetired(id)
    }

    func modelRetired(_ model: String) {
        callMetrics?.modelRetired(model)
    }

    func requestFinished(_ record: RequestRecord) {
        requestMetrics?.requestFinished(
            path: record.path,
            status: record.status,
            duration: record.duration,
            bytesIn: record.requestBytes,
            bytesOut: record.responseBytes
        )
        guard let log else { return }
        let call = pending.withLock { $0.removeValue(forKey: record.requestID) }
        var entry = call.map { RequestLogEntry($0) } ?? RequestLogEntry(requestID: record.requestID, duration: .zero)
        entry.client = record.sender.address
        entry.method = record.method
        entry.path = record.path
        entry.status = record.status
        entry.duration = record.duration
        entry.requestBytes = record.requestBytes
        entry.responseBytes = record.responseBytes
        if entry.error == nil, record.outcome != .completed { entry.error = record.outcome.rawValue }
        log.write(entry)
    }

    func connectionOpened() {
        requestMetrics?.connectionOpened()
    }

    func connectionClosed() {
        requestMetrics?.connectionClosed()
    }

    func certificateLoaded(_ name: String, expiresAt time: Int) {
        requestMetrics?.certificateLoaded(name, expiresAt: time)
    }
}

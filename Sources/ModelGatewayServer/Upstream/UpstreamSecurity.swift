// What secure connections of a transport are made with: read when the first one is needed, off the event loops.

import GatewayWire
import ModelGateway
import NIOPosix
import Synchronization

/// The TLS of a transport. Reading the system's authorities takes a while and some memory, and many gateways call only
/// engines in plain HTTP.
final class UpstreamSecurity: Sendable {
    private let options: TLSOptions
    private let offersHTTP2: Bool
    private let ready = Lock<UpstreamTLS?>(nil)

    init(_ options: TLSOptions, offersHTTP2: Bool) {
        self.options = options
        self.offersHTTP2 = offersHTTP2
    }

    /// Reads the files that the settings name, if they name any, so that mistakes are found at once. Blocks meanwhile.
    /// - Throws: ``GatewayError/Code/configuration``.
    func check() throws(GatewayError) {
        guard options != TLSOptions() else { return }
        let tls = try UpstreamTLS(options, offersHTTP2: offersHTTP2)
        ready.withLock { $0 = tls }
    }

    /// What connections are made with.
    func tls() async throws(GatewayError) -> UpstreamTLS {
        if let tls = ready.withLock({ $0 }) { return tls }
        let result: Result<UpstreamTLS, GatewayError>
        do {
            result = try await NIOThreadPool.singleton.runIfActive { [options, offersHTTP2] in
                do throws(GatewayError) { return .success(try UpstreamTLS(options, offersHTTP2: offersHTTP2)) } catch {
                    return .failure(error)
                }
            }
        } catch is CancellationError {
            throw TransportFailure.cancelled(wasSent: false)
        } catch {
            throw GatewayError(.shuttingDown, "The process is ending.")
        }
        let tls = try result.get()
        return ready.withLock { ready in
            let first = ready ?? tls
            ready = first
            return first
        }
    }
}

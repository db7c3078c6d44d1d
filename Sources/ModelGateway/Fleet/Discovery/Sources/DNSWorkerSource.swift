// Workers from DNS: the addresses of a name, or the services of a name that begins with an underscore.

import GatewaySystem

/// Asks DNS for workers at regular intervals.
///
/// An address becomes `http://ADDRESS:PORT/v1`. An SRV record becomes `http://HOST:PORT/v1` with the record's priority
/// and weight. If DNS does not answer, the last workers stay: those that are gone fail their probes, and those that are
/// not keep working even though DNS does not. If an answer has none of the last workers, DNS is asked once more.
public struct DNSWorkerSource: WorkerSource {
    /// Answers for a name; may block.
    package struct Resolver: Sendable {
        package var addresses: @Sendable (String) -> Result<[String], DNSFailure>
        package var services: @Sendable (String) -> Result<[DNSAnswer.Service], DNSFailure>

        package init(
            addresses: @escaping @Sendable (String) -> Result<[String], DNSFailure>,
            services: @escaping @Sendable (String) -> Result<[DNSAnswer.Service], DNSFailure>
        ) {
            self.addresses = addresses
            self.services = services
        }

        /// The system's.
        package static let system = Resolver(
            addresses: { host in
                do throws(NameResolver.Failure) {
                    return .success(try NameResolver.addresses(of: host))
                } catch {
                    return .failure(DNSFailure(reason: error.reason))
                }
            },
            services: { name in
                do {
                    return .success(try DNSAnswer(try NameResolver.serviceRecords(of: name)).services)
                } catch let failure as NameResolver.Failure {
                    return .failure(DNSFailure(reason: failure.reason))
                } catch {
                    let reason = (error as? DNSAnswer.Malformed)?.reason ?? "\(error)"
                    return .failure(DNSFailure(reason: "the answer is malformed: \(reason)"))
                }
            }
        )
    }

    public let name = "dns"
    let host: String
    let port: Int
    let interval: Duration
    let resolver: Resolver
    let time: TimeSource

    /// Watches a name.
    /// - Parameters:
    ///   - host: The name; for one that begins with `_`, such as `_vllm._tcp.example.com`, SRV records are requested.
    ///   - port: The port of workers found by address; SRV records name their own. Default 8000.
    ///   - interval: The time between two queries. Default 30 s.
    public init(host: String, port: Int = 8000, interval: Duration = .seconds(30)) {
        self.init(host: host, port: port, interval: interval, resolver: .system)
    }

    /// Watches a name by other means.
    package init(
        host: String,
        port: Int,
        interval: Duration,
        resolver: Resolver,
        time: TimeSource = .system
    ) {
        self.host = host
        self.port = port
        self.interval = interval
        self.resolver = resolver
        self.time = time
    }

    public func watch(_ report: WorkerReport) async {
        var lastProblem: String?
        var lists = WorkerListReview()
        while !Task.isCancelled {
            var pause = interval
            switch await BlockingCall.run({ self.resolve() }) {
            case .success(let workers):
                lastProblem = nil
                let (list, needsSecondLook) = lists.review(workers)
                if let list { report.workers(list) }
                if needsSecondLook { pause = min(interval, WorkerListReview.secondLook) }
            case .failure(let failure):
                let problem = "No workers from the DNS name \(host): \(failure.reason)."
                if problem != lastProblem { report.problem(problem) }
                lastProblem = problem
            case nil: break
            }
            do { try await time.sleep(pause) } catch { return }
        }
    }

    private func resolve() -> Result<[WorkerAddress], DNSFailure> {
        if host.hasPrefix("_") {
            return resolver.services(host).map { $0.compactMap(Self.worker) }
        }
        return resolver.addresses(host).map { addresses in
            addresses.compactMap { try? WorkerAddress("http://\($0):\(port)") }
        }
    }

    /// A record's weight of 0 means a very small share (RFC 2782), not none.
    private static func worker(_ service: DNSAnswer.Service) -> WorkerAddress? {
        try? WorkerAddress(
            "http://\(service.host):\(service.port)",
            weight: Double(min(max(service.weight, 1), 1000)),
            priority: min(service.priority, 1000)
        )
    }
}

// What whoever runs the gateway reads about its fleet: the lines of its log, and why a call found no deployment.

import GatewayWire
import Logging
import ModelGatewayTelemetry
import ModelGatewayTesting
import Synchronization
import Testing

@testable import ModelGateway

@Suite("What is said of the fleet", .timeLimit(.minutes(1)))
struct FleetLogTests {
    /// A gateway with the model `m`, whose log is kept.
    private final class Bench: Sendable {
        let clock = VirtualClock(start: .seconds(1000))
        let gateway: Gateway
        private let written = Lock<[UInt8]>([])

        init() {
            let fleet = Fleet([DeploymentGroup(model: "m", deployments: deployments(2))], time: clock.source)
            gateway = Gateway(groups: [], registry: WorkerRegistry(fleet, time: clock.source))
        }

        var lines: [String] {
            written.withLock { String(decoding: $0, as: UTF8.self).split(separator: "\n").map(String.init) }
        }

        func run(_ body: (GroupState) async throws -> Void) async throws {
            let logger = Logger(label: "log") { label in
                GatewayLogHandler(label: label, format: .text) { bytes in self.written.withLock { $0 += bytes } }
            }
            let running = Task { [gateway] in try await gateway.run(logger: logger) }
            defer { running.cancel() }
            let group = try gateway.fleet.group("m")
            func drainAndStop() throws {
                let lease = try group.acquire(RoutingInput(forcedDeployment: "d0"))
                group.drain("d0", within: .seconds(60))
                group.stopDraining("d0")
                lease.finish(.cancelled)
            }
            // Again and again, until the gateway runs and has a log to write to; once more, for that may have been
            // between the two.
            try await line("info log: The deployment is no longer draining. deployment=d0 model=m", drainAndStop)
            try drainAndStop()
            try await body(group)
        }

        /// Waits for a line that ends with a text.
        func line(_ ending: String, _ again: () throws -> Void = {}) async throws {
            let end = ContinuousClock.now + .seconds(20)
            while !lines.contains(where: { $0.hasSuffix(ending) }) {
                guard ContinuousClock.now < end else {
                    Issue.record("no line ends with \(ending) among \(lines)")
                    return
                }
                try again()
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    @Test func `C12: what happens to deployments has a line in the log`() async throws {
        let bench = Bench()
        try await bench.run { group in
            try await bench.line("The deployment is draining and receives no new calls. calls=1 deployment=d0 model=m")
            for _ in 0..<5 { try group.acquire(RoutingInput(forcedDeployment: "d1")).finish(.failure) }
            try await bench.line(
                "notice log: The circuit breaker opened: the deployment has failed too often and receives no calls. "
                    + "deployment=d1 model=m"
            )
            for _ in 0..<3 { group.probed("d1", succeeded: false) }
            try await bench.line(
                "The deployment does not answer its health probes and receives no calls. deployment=d1 model=m"
            )
            for _ in 0..<2 { group.probed("d1", succeeded: true) }
            try await bench.line("The deployment is healthy again. deployment=d1 model=m")
            bench.clock.advance(by: .seconds(15))
            _ = group.status
            try await bench.line(
                "The circuit breaker is half-open: the deployment receives a few trial calls. deployment=d1 model=m"
            )
            for _ in 0..<2 { try group.acquire(RoutingInput(forcedDeployment: "d1")).finish(.success) }
            try await bench.line(
                "The circuit breaker closed: the deployment receives calls again. deployment=d1 model=m"
            )
            let late = try group.acquire(RoutingInput(forcedDeployment: "d1"))
            group.drain("d1", within: .seconds(5))
            bench.clock.advance(by: .seconds(6))
            _ = group.status
            try await bench.line(
                "notice log: The deployment was removed at its deadline, with calls still running. "
                    + "calls=1 deployment=d1 model=m"
            )
            late.finish(.success)
            group.remove("d0")
            try await bench.line("info log: The deployment was removed. deployment=d0 model=m")
        }
    }

    @Test func `C12: rejected credentials are a warning in the log, and their return is told too`() async throws {
        let bench = Bench()
        try await bench.run { group in
            try group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.misconfigured)
            try await bench.line(
                "warning log: The deployment rejected the gateway's credentials and receives no calls; check its API key. "
                    + "deployment=d0 mode=chat model=m"
            )
            bench.clock.advance(by: .seconds(15))
            try group.acquire(RoutingInput(forcedDeployment: "d0")).finish(.success)
            try await bench.line(
                "notice log: The deployment accepts the gateway's credentials again. deployment=d0 mode=chat model=m"
            )
        }
    }

    @Test func `C12: workers that come, change and go have a line in the log`() async throws {
        let bench = Bench()
        try await bench.run { _ in
            try bench.gateway.addWorker(url: "http://127.0.0.1:9/v1")
            try await bench.line(
                "info log: A worker was added. source=api url=http://127.0.0.1:9/v1 worker=\(id)"
            )
            let change = WorkerChange(weight: 2.5, labels: ["zone": "a b"], isDraining: true)
            try bench.gateway.updateWorker(id, change)
            try await bench.line(
                "A worker was changed. draining=true labels=\"zone=a b\" url=http://127.0.0.1:9/v1 weight=2.5 worker=\(id)"
            )
            try bench.gateway.removeWorker(id)
            try await bench.line("A worker is being removed. url=http://127.0.0.1:9/v1 worker=\(id)")
        }
    }

    private let id = (try? WorkerAddress("http://127.0.0.1:9/v1"))?.id ?? ""

    // MARK: Why nothing may take a call

    private func refusal(
        _ group: GroupState,
        excluding tried: TriedDeployments = TriedDeployments()
    ) -> String? {
        let error = #expect(throws: GatewayError.self) { try group.acquire(RoutingInput(), excluding: tried) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("d0") == false)
        return error?.message
    }

    private func reason(_ text: String) -> String {
        "No deployment of m can take the call now (\(text)); try again later."
    }

    @Test func `C12: a call is told the true reason why no deployment takes it`() throws {
        let clock = VirtualClock(start: .seconds(1000))
        func group() -> GroupState {
            GroupState(DeploymentGroup(model: "m", deployments: deployments(1)), time: clock.source)
        }
        let idle = group()
        idle.drain("d0", within: .seconds(60))
        #expect(refusal(idle) == reason("all were drained"))
        let busy = group()
        let lease = try busy.acquire(RoutingInput())
        busy.drain("d0", within: .seconds(60))
        #expect(refusal(busy) == reason("1 draining"))
        lease.finish(.success)
        #expect(refusal(busy) == reason("all were drained"))
        let removed = group()
        removed.remove("d0")
        #expect(refusal(removed) == reason("all were removed"))
        #expect(refusal(GroupState(DeploymentGroup(model: "m"), time: clock.source)) == reason("it has none"))
        let resting = group()
        try resting.acquire(RoutingInput()).finish(.rateLimited(retryAfter: .seconds(9)))
        #expect(refusal(resting) == reason("1 cooling down"))
        for _ in 0..<3 { resting.probed("d0", succeeded: false) }
        #expect(refusal(resting) == reason("1 unhealthy and cooling down"))
        resting.set(deployment("d1", weight: 0))
        #expect(refusal(resting) == reason("1 standby, 1 unhealthy and cooling down"))
        let only = group()
        var tried = TriedDeployments()
        let first = try only.acquire(RoutingInput())
        tried.insert(first)
        first.finish(.failure)
        #expect(refusal(only, excluding: tried) == reason("1 already tried"))
    }
}

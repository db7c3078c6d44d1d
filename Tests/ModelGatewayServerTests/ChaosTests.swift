// A fleet under load whose engines fail one after the other: what clients notice, and how it all comes back.

import GatewayWire
import ModelGateway
import ModelGatewayServer
import ModelGatewayTesting
import Testing

/// With four engines one of which is broken at a time, every call can be answered: only a stream whose engine breaks
/// after its first content is lost, and its client must be told.
@Suite("Chaos", .serialized, .timeLimit(.minutes(2)))
struct ChaosTests {
    private static let clients = 10

    @Test(arguments: Fault.allCases)
    func `An engine that breaks costs no call that another one can answer`(fault: Fault) async throws {
        let fleet = try ChaoticFleet()
        defer { fleet.stop() }
        let background = Task { try await fleet.gateway.run() }
        defer { background.cancel() }
        let calls = try await withServer(fleet.gateway) { server in
            let clients = ChaosClients(port: server.port)
            try await withThrowingTaskGroup { tasks in
                for seed in 0..<Self.clients {
                    tasks.addTask { try await clients.run(seed: UInt64(seed)) }
                }
                tasks.addTask {
                    defer { clients.stop() }
                    try await breakInTurn(fault, fleet, clients)
                }
                try await tasks.waitForAll()
            }
            return clients.calls
        }
        checkCalls(calls, fault, fleet)
        checkEngines(calls, fleet)
        try await wait("no call counts any more") { fleet.isIdle }
    }

    /// Breaks each engine, waits for the consequences, repairs it and waits until it takes part again.
    private func breakInTurn(_ fault: Fault, _ fleet: ChaoticFleet, _ clients: ChaosClients) async throws {
        var random = SeededGenerator(seed: 4)
        for index in Array(fleet.engines.indices).shuffled(using: &random) {
            try await wait(for: 20, of: clients)
            let engine = fleet.engines[index]
            let acted = engine.acted
            engine.begin(fault)
            try await wait("\(fault) is noticed at engine \(index)") {
                fault.isNoticed ? !fleet.status(of: index).isEligible : engine.acted >= acted + 5
            }
            try await wait(for: 20, of: clients)
            try engine.end(fault)
            try await wait("engine \(index) is back") { fleet.isWell }
            try await waitForRoundTrips(of: clients)
        }
    }

    /// Waits until all calls that are under way have ended. One that hangs at a repaired engine would be tried next at
    /// the one that is about to break, and so on: more bad luck than any number of attempts makes good.
    private func waitForRoundTrips(of clients: ChaosClients) async throws {
        let before = clients.ended
        try await wait("all clients' calls end") {
            let now = clients.ended
            return now.count == Self.clients && now.allSatisfy { $0.value > before[$0.key, default: 0] }
        }
    }

    private func wait(for calls: Int, of clients: ChaosClients) async throws {
        let goal = clients.count + calls
        try await wait("\(calls) calls end") { clients.count >= goal }
    }

    /// Within the 30 s in which a fleet must be whole again.
    private func wait(_ what: String, _ condition: () -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while !condition() {
            try #require(ContinuousClock.now < end, "waited in vain until \(what)")
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func checkCalls(_ calls: [ChaosClients.Call], _ fault: Fault, _ fleet: ChaoticFleet) {
        let broken = calls.filter { !$0.isWhole }
        for call in broken where !(fault.breaksStreams && call.isHonestlyBroken) {
            Issue.record("A call that could be answered was not: \(call)")
        }
        switch fault {
        case .cut, .stalled:
            let spoilt = fleet.engines.map(\.streamsBroken).reduce(0, +)
            #expect(spoilt > 0)
            #expect(broken.count == spoilt, "every stream that broke says so")
        case .killed: break
        default: #expect(broken.isEmpty)
        }
        #expect(calls.contains { $0.isStreamed && $0.isWhole })
        #expect(calls.contains { !$0.isStreamed && $0.isWhole })
    }

    private func checkEngines(_ calls: [ChaosClients.Call], _ fleet: ChaoticFleet) {
        for (index, engine) in fleet.engines.enumerated() {
            let ids = engine.callIDs
            #expect(!ids.isEmpty)
            let twice = Dictionary(grouping: ids) { $0 }.filter { $0.value.count > 1 }.keys
            #expect(twice.isEmpty, "engine \(index) got calls twice that it had taken")
        }
        let received = Set(fleet.engines.flatMap(\.callIDs))
        #expect(received.isSuperset(of: calls.filter(\.isWhole).map(\.id)))
    }
}

// How many connections fit into a limit of open files.

import ModelGatewayServer
import Testing

@Suite struct ConnectionPlanTests {
    @Test(arguments: [64, 256, 1024, 20_000, 1 << 20])
    func `A1: connections never take the last descriptors, and each call of a client finds one to a provider`(
        limit: Int
    ) throws {
        let others = ConnectionPlan.others(open: 4, cores: 2)
        let plan = try #require(ConnectionPlan(limit: limit, others: others, loops: 3))
        #expect(plan.clients + plan.upstream + others + 16 <= limit)
        #expect(plan.clients >= 2)
        // Connections that lie unused must not be in the way of those that calls need.
        #expect(plan.clients + 3 * plan.idle <= plan.upstream)
    }

    @Test func `A1: a limit that leaves no room for connections is refused`() {
        let least = ConnectionPlan.least(others: 30)
        #expect(ConnectionPlan(limit: least - 1, others: 30, loops: 3) == nil)
        #expect(ConnectionPlan(limit: least, others: 30, loops: 3) != nil)
    }

    @Test func `A1: a wish for more clients than fit is cut`() throws {
        #expect(try #require(ConnectionPlan(limit: 256, others: 30, clients: 50, loops: 3)).clients == 50)
        let plan = try #require(ConnectionPlan(limit: 256, others: 30, clients: 1000, loops: 3))
        #expect(plan.clients + plan.upstream + 30 + 32 == 256)
        #expect(plan.upstream == 4)
    }
}

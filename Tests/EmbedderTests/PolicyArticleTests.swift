// The code of the article "Write a routing policy", word for word, and that it works.

import Foundation
import ModelGateway
import Testing

/// Fills one deployment after the other, so that those at the end of the list can sleep while there is little to do.
struct FillFirst: RoutingPolicy {
    /// The calls that a deployment gets before the next one does.
    var calls = 10

    mutating func choose(
        from candidates: RoutingCandidates,
        for input: RoutingInput,
        using generator: inout some RandomNumberGenerator
    ) -> Int? {
        let inOrder = candidates.indices.sorted { candidates[$0].deployment.id < candidates[$1].deployment.id }
        let withRoom = inOrder.first { candidates[$0].callsInFlight < calls }
        return withRoom ?? inOrder.min { candidates[$0].callsInFlight < candidates[$1].callsInFlight }
    }
}

func makeGateway(filling deployments: [Deployment], calls: Int) -> Gateway {
    let group = DeploymentGroup(
        model: "assistant",
        deployments: deployments,
        policy: .custom("fill_first") { FillFirst(calls: calls) }
    )
    return Gateway(groups: [group])
}

struct FillFirstOptions: PolicyOptions {
    var calls = 10

    static let keys: [PolicyKey<Self>] = [
        .integer("calls", \.calls, in: 1...10_000, "calls that a deployment gets before the next one does")
    ]
}

func makeGateway(fillingBy file: String) throws -> Gateway {
    var policies = PolicyCatalog.standard
    policies.register("fill_first", options: FillFirstOptions.self) { FillFirst(calls: $0.calls) }
    return try Gateway(configuration: Configuration.load(path: file, policies: policies))
}

@Suite("Write a routing policy, as the article says")
struct PolicyArticleTests {
    /// Is never done, so that its calls stay under way.
    private struct Silent: Provider {
        let name = "silent"
        let modes: Set<Mode> = [.chat]

        func models(timeouts: Timeouts) async throws(GatewayError) -> [ModelInfo] { [] }
    }

    private let request = ChatRequest(model: "assistant", messages: [.user("Hi")])

    @Test func `the article has this code`() throws {
        try expectArticle("WritingARoutingPolicy", hasCodeOf: #filePath, blocks: 4)
    }

    @Test func `deployments are filled in the order of their ids`() throws {
        let deployments = ["c", "a", "b"].map { Deployment(id: $0, provider: Silent(), upstreamModel: "m") }
        let explanation = try makeGateway(filling: deployments, calls: 1).explain(request)
        #expect(explanation.policy == "fill_first")
        #expect(explanation.candidates.map(\.id) == ["a", "b", "c"])
    }

    private func load(_ policy: String) throws -> Gateway {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "policy-\(UInt64.random(in: 0 ... .max)).toml"
        )
        defer { try? FileManager.default.removeItem(at: file) }
        try """
        [[models]]
        name = "assistant"
        policy = \(policy)
        [[models.deployments]]
        base_url = "http://127.0.0.1:9/v1"
        """.write(to: file, atomically: true, encoding: .utf8)
        return try makeGateway(fillingBy: file.path)
    }

    @Test func `a file names it, with its options`() throws {
        let gateway = try load(#"{ name = "fill_first", calls = 4 }"#)
        #expect(try gateway.explain(request).policy == "fill_first")
    }

    @Test func `a mistake in a file names what there is`() throws {
        let error = #expect(throws: GatewayError.self) { try load(#"{ name = "fill_first", cals = 4 }"#) }
        #expect(error?.message.contains("calls") == true)
        let other = #expect(throws: GatewayError.self) { try load(#""fill_frist""#) }
        #expect(other?.message.contains("fill_first") == true)
    }
}

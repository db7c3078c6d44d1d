// Clients that call a server without a pause, streamed and not, and remember what came back.

import GatewayWire
import Synchronization

/// Many connections with one call after the other on each, until they are told to stop.
final class ChaosClients: Sendable {
    /// One call as its client saw it.
    struct Call: Sendable {
        let id: String
        let isStreamed: Bool
        /// What came back, or nil if the connection ended without an answer.
        let answer: RawClient.Answer?

        private var body: String { answer?.body ?? "" }

        /// The pieces of text, put together.
        var text: String {
            body.split(separator: #""content":""#).dropFirst().map { $0.prefix { $0 != "\"" } }.joined()
        }

        /// Whether it is a success to its end.
        var isWhole: Bool {
            guard answer?.status == 200, answer?.isComplete == true, text == ChaoticEngine.text else { return false }
            return !isStreamed || (body.hasSuffix("data: [DONE]\n\n") && !body.contains(#""error""#))
        }

        /// Whether it is a stream that began, broke, and says so: with an error as its last event and no sign of an end.
        var isHonestlyBroken: Bool {
            guard isStreamed, answer?.status == 200, let last = body.split(separator: "\n\n").last else { return false }
            return last.hasPrefix(#"data: {"error":"#) && !text.isEmpty && ChaoticEngine.text.hasPrefix(text)
                && !body.contains("[DONE]")
        }
    }

    private let port: Int
    private let isStopped = Atomic(false)
    private let done = Lock<[Call]>([])
    private let endedBySeed = Lock<[UInt64: Int]>([:])

    init(port: Int) {
        self.port = port
    }

    var calls: [Call] { done.withLock { $0 } }
    var count: Int { done.withLock { $0.count } }

    /// How many calls each client has ended.
    var ended: [UInt64: Int] { endedBySeed.withLock { $0 } }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Calls until ``stop()``.
    /// - Parameter seed: Decides which calls are streamed, and is the beginning of their ids.
    func run(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var number = 0
        while !isStopped.load(ordering: .relaxed) {
            try await RawClient.with(port: port) { client in
                while !isStopped.load(ordering: .relaxed) {
                    number += 1
                    let call = await call(client, "\(seed)-\(number)", isStreamed: random.next() % 2 == 0)
                    done.withLock { $0.append(call) }
                    endedBySeed.withLock { $0[seed, default: 0] += 1 }
                    // Whatever went wrong, the connection may be at its end.
                    if !call.isWhole { return }
                }
            }
        }
    }

    private func call(_ client: RawClient, _ id: String, isStreamed: Bool) async -> Call {
        let body =
            #"{"model":"\#(ChaoticFleet.model)","messages":[{"role":"user","content":"Hi"}],"stream":\#(isStreamed)}"#
        do {
            try await client.post(body, headers: ["x-request-id: \(id)"])
            return Call(id: id, isStreamed: isStreamed, answer: try await client.answer())
        } catch {
            return Call(id: id, isStreamed: isStreamed, answer: nil)
        }
    }
}

// Random courses of connections: whatever happens, in whatever order, some things never do.

import GatewayWire
import Testing

@testable import ModelGatewayServer

@Suite("Decisions of a connection: random sequences")
struct ConnectionSequenceTests {
    @Test(
        arguments: 0..<16 as Range<UInt64>
    )
    func `No request has two heads, nothing is written after the end, and each exchange ends once`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<400 {
            var course = Course(steps: Int.random(in: 1...80, using: &random))
            let connection = course.run(using: &random)
            #expect(connection.violations.isEmpty, "\(connection.violations) after \(course.taken)")
            #expect(connection.begun == connection.ended, "\(course.taken)")
        }
    }
}

/// One connection's life: a client that sends requests in a row, an engine and a router that answer, and mishaps.
private struct Course {
    let steps: Int
    var taken: [String] = []
    /// What the client sends next: 0 a head, 1 body or end.
    private var isInRequest = false

    init(steps: Int) {
        self.steps = steps
    }

    mutating func run(using random: inout SeededGenerator) -> SimulatedConnection {
        var connection = SimulatedConnection()
        // Mishaps end most courses, so some have none.
        let mishaps = Int.random(in: 0...3, using: &random)
        for _ in 0..<steps where !connection.isClosed {
            if Int.random(in: 0..<30, using: &random) < mishaps {
                mishap(&connection, using: &random)
            } else {
                ordinary(&connection, using: &random)
            }
        }
        connection.close()
        return connection
    }

    private mutating func ordinary(_ connection: inout SimulatedConnection, using random: inout SeededGenerator) {
        let choice = Int.random(in: 0..<10, using: &random)
        taken.append("\(choice)")
        switch choice {
        case 0...4:
            guard connection.isReading else { return }
            // Several parts may come with one read.
            for _ in 0..<Int.random(in: 1...6, using: &random) { connection.receive(nextPart(using: &random)) }
            connection.requestRead()
        case 5: connection.produce(hasHead: true, chunks: 0, ending: .whole)
        case 6: connection.produce(hasHead: Bool.random(using: &random), chunks: 2, ending: nil)
        case 7: connection.produce(hasHead: false, chunks: 1, ending: Bool.random(using: &random) ? .finished : .failed)
        case 8: connection.route(isComplete: Bool.random(using: &random))
        default:
            connection.now += Int.random(in: 0...2, using: &random)
            connection.tick()
        }
    }

    private mutating func nextPart(using random: inout SeededGenerator) -> SimulatedConnection.Part {
        guard isInRequest else {
            isInRequest = true
            return .head(
                RequestFacts(
                    answerer: Int.random(in: 0..<3, using: &random) == 0 ? .router : .call,
                    isRefused: Int.random(in: 0..<6, using: &random) == 0,
                    contentLength: Bool.random(using: &random) ? Int.random(in: 0...70, using: &random) : nil,
                    hasExpectation: Int.random(in: 0..<8, using: &random) == 0,
                    allowsKeepAlive: Int.random(in: 0..<10, using: &random) != 0,
                    isModern: Int.random(in: 0..<10, using: &random) != 0
                )
            )
        }
        if Bool.random(using: &random) { return .body(Int.random(in: 0...60, using: &random)) }
        isInRequest = false
        return .end
    }

    private mutating func mishap(_ connection: inout SimulatedConnection, using random: inout SeededGenerator) {
        let choice = Int.random(in: 0..<9, using: &random)
        taken.append("mishap \(choice)")
        switch choice {
        case 0: connection.fail()
        case 1: connection.endInput()
        case 2: connection.drain()
        case 3: connection.abort()
        case 4: connection.evict()
        case 5: connection.setWritable(Bool.random(using: &random))
        case 6: connection.flush(isWritten: Bool.random(using: &random))
        case 7: connection.now += Int.random(in: 2...8, using: &random)
        default: connection.close()
        }
    }
}

// One computation at a time in the process: what keeps several models from slowing each other down.

import GatewaySystem
import Synchronization

#if LlamaCpp

/// A queue for the processor.
///
/// The threads of a step wait for each other by spinning, dozens of times in each step. Two steps at once on the same
/// cores would spend their time waiting for threads that are not running; one after the other, both are done sooner.
enum ComputeTurn {
    private struct Tickets {
        var next = 0
        var serving = 0
    }

    private static let tickets = Monitor(Tickets())

    /// Runs `body` when its turn comes, in the order of asking. Blocks: not for cooperative threads.
    static func take<Result>(_ body: () -> Result) -> Result {
        let ticket = tickets.withLock { tickets in
            defer { tickets.next += 1 }
            return tickets.next
        }
        tickets.wait { $0.serving == ticket ? () : nil }
        defer { tickets.change { $0.serving += 1 } }
        return EndOfProcess.guarding(body)
    }
}

#endif

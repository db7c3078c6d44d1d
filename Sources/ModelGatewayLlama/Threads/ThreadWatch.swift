// Decides before and during each step how many threads it gets.

#if LlamaCpp

import CLlama
import ModelGateway

/// Looks at the processors between steps and, once, within a long one. Used in the compute turn only.
///
/// Unchecked because of what it keeps: only the thread whose turn it is to compute touches it.
final class ThreadWatch: @unchecked Sendable {
    /// How often the processors are looked at. The system counts in hundredths of a second.
    static let interval: Duration = .milliseconds(200)
    /// How long a step may take before it is asked whether others hold its processors.
    static let patience: Duration = .milliseconds(100)

    private var load: ProcessorLoad
    private var share: ThreadShare
    private var begun = MonotonicInstant.now
    private var wasAsked = false
    private var nodes = 0

    /// Nil where there is nothing to decide, or the system does not tell what runs.
    init?(threads: Int) {
        guard threads > 1, let load = ProcessorLoad() else { return nil }
        self.load = load
        share = ThreadShare(most: threads)
    }

    /// Begins a step.
    /// - Returns: How many threads it gets.
    func begin() -> Int {
        begun = .now
        wasAsked = false
        if load.age(at: begun) >= Self.interval { look() }
        return share.threads
    }

    /// Asked after each node of the step's graph.
    /// - Returns: Whether the step must be given up, to be computed with fewer threads.
    func mustYield() -> Bool {
        guard !wasAsked, share.threads > 1 else { return false }
        // Reading the clock costs as much as a small node.
        nodes &+= 1
        guard nodes & 15 == 0, MonotonicInstant.now - begun >= Self.patience else { return false }
        wasAsked = true
        let before = share.threads
        look()
        return share.threads < before
    }

    private func look() {
        if let look = load.look() { share.note(look) }
    }
}

#endif

// Counts of what the decode thread does, readable from any thread.

#if LlamaCpp

import Logging
import Synchronization

/// Counters that the decode thread writes.
final class DecodeStatistics: Sendable {
    let running = Atomic(0)
    let queued = Atomic(0)
    let promptTokens = Atomic(0)
    let generatedTokens = Atomic(0)
    let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }
}

#endif

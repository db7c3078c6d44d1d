// Connections that are held open for calls to come, so that none of them waits for TCP and TLS.

import ModelGateway
import NIOCore

/// How many connections to an engine are held open ahead.
struct UpstreamWarmth {
    /// Busy ones count, too.
    var count = 0
    /// After how long the next one is opened when one has ended; nil for the least time.
    var delay: TimeAmount?
    var isDue = false
}

extension UpstreamConnections {
    /// Holds so many connections open; 0 closes those that are unused.
    func keepWarm(_ count: Int, to url: String) {
        guard let found = try? origin(of: url) else { return }
        let origin = found.engine
        origin.warmth.count = min(max(count, 0), 100)
        if origin.warmth.count == 0 {
            for connection in origin.idle { connection.close() }
            while origin.multiplexed?.closeIdle() == true {}
        }
        warmUp(origin)
    }

    private func warmUp(_ origin: UpstreamOrigin) {
        guard !isRetired else { return }
        for _ in 0..<max(0, origin.warmth.count - origin.openCount) { open(to: origin, for: nil) }
    }

    /// Opens what is missing, after a while: a server that takes no connections is not to be asked without a pause.
    func warmUpLater(_ origin: UpstreamOrigin) {
        guard origin.openCount < origin.warmth.count, !origin.warmth.isDue, !isRetired else { return }
        origin.warmth.isDue = true
        let delay = origin.warmth.delay ?? options.warmDelay
        origin.warmth.delay = min(.nanoseconds(delay.nanoseconds * 2), .seconds(60))
        eventLoop.assumeIsolated().scheduleTask(in: delay) {
            origin.warmth.isDue = false
            self.warmUp(origin)
        }
    }
}

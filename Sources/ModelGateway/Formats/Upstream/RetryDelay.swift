// How long a provider asks to be left alone, in the header lines that providers use for it.

import GatewaySystem
import GatewayWire

/// A provider's wish to be left alone for a while.
package struct RetryDelay {
    /// How long from now, at most an hour.
    package let delay: Duration

    private static let longest = Duration.seconds(3600)

    /// Reads `retry-after-ms` (milliseconds) or `retry-after` (seconds or an HTTP date, RFC 9110 §10.2.3).
    package init?(_ headers: HTTPHeaderBlock) {
        if let milliseconds = headers["retry-after-ms"].flatMap(Double.init), milliseconds.isFinite, milliseconds >= 0 {
            delay = min(.milliseconds(min(milliseconds, 1e9)), Self.longest)
            return
        }
        guard let line = headers["retry-after"] else { return nil }
        let seconds = Array(line.utf8).withBytes { RetryAfter.parse($0, now: WallClock.unixSeconds()) }
        guard let seconds else { return nil }
        delay = min(.seconds(seconds), Self.longest)
    }
}

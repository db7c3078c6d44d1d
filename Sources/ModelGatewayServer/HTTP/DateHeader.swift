// The date of responses, written once a second for each event loop.

import GatewaySystem
import GatewayWire

/// A `Date` header's value (RFC 9110 §5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
struct DateHeader: Sendable {
    private var second = -1
    private(set) var bytes: [UInt8] = []
    private(set) var text = ""

    /// Brings the text up to date.
    mutating func refresh() {
        let now = WallClock.unixSeconds()
        guard now != second else { return }
        second = now
        bytes.removeAll(keepingCapacity: true)
        CivilTime(unixSeconds: now).appendHTTPDate(to: &bytes)
        text = String(decoding: bytes, as: UTF8.self)
    }
}

// Which URLs the event-loop transport leaves to the other one, whatever their way there is.

import ModelGateway

/// What is not sent from the event loop.
package struct UpstreamBypass: Sendable {
    private let leavesSecure: Bool

    /// - Parameter http2: Whether HTTP/2 is wanted for secure connections.
    package init(http2: Bool = false) {
        leavesSecure = http2
    }

    /// Whether a URL is one for the event loop.
    func admits(_ url: String) -> Bool {
        if Self.isSecure(url) { return !leavesSecure }
        return url.utf8.starts(with: "http://".utf8) || url.utf8.starts(with: "http+unix://".utf8)
    }

    static func isSecure(_ url: String) -> Bool { url.utf8.starts(with: "https://".utf8) }
}

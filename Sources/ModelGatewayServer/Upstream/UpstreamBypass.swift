// Which URLs the event-loop transport leaves to the other one, whatever their way there is.

/// What is not sent from the event loop.
enum UpstreamBypass {
    /// Whether a URL is one for the event loop.
    static func admits(_ url: String) -> Bool {
        isSecure(url) || url.utf8.starts(with: "http://".utf8) || url.utf8.starts(with: "http+unix://".utf8)
    }

    static func isSecure(_ url: String) -> Bool { url.utf8.starts(with: "https://".utf8) }
}

// What the transport says about itself on HTTP/2 connections, and what it puts up with.

import NIOHTTP2

/// The limits of HTTP/2 connections.
enum MultiplexedSettings {
    /// Bytes of one answer that may be under way without having been taken.
    static let streamWindow = 256 << 10
    /// Bytes of all answers that may be under way. Granted anew whatever becomes of them, so that no call stops others.
    static let window = 16 << 20
    /// Calls at a time, also if the engine allows more.
    static let maxStreams = 1000

    /// A handler that turns bytes into frames and back, and watches over their rules.
    static func handler() -> NIOHTTP2Handler {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .enablePush, value: 0),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxHeaderListSize, value: UpstreamConnection.maxHeadSize),
        ]
        // Checked with the head, for an error that says what was wrong.
        connection.contentLengthValidation = .disabled
        connection.maximumSequentialEmptyDataFrames = 32
        connection.maximumSequentialContinuationFrames = 20
        // Answers to calls that were given up are under way for a while.
        connection.maximumRecentlyResetStreams = maxStreams
        connection.controlFrameRateLimit.maximumCount = 1000
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = 2000
        return NIOHTTP2Handler(mode: .client, connectionConfiguration: connection, streamConfiguration: stream)
    }
}

// What a client may ask of an HTTP/2 connection.

import NIOCore
import NIOHTTP2

/// The limits of a connection, as NIO's handler holds it to them: who breaks one that a proper client never comes near gets a
/// GOAWAY, and all the connection's streams end.
enum HTTP2Limits {
    /// Requests at a time.
    static let streams = 128
    /// The fields of a request's head, in bytes as RFC 9113 §6.5.2 counts them.
    static let headerListBytes = 32 << 10
    /// Streams that the client takes back within a second (CVE-2023-44487), or that the server has to reset for a mistake of
    /// the client's (CVE-2025-8671).
    static let resetsPerSecond = 100
    /// Frames within a second that carry nothing of a request: PING, SETTINGS, PRIORITY.
    static let controlFramesPerSecond = 200
    /// CONTINUATION frames of one head (CVE-2024-27316).
    static let continuationFrames = 5
    /// Bytes of requests' bodies that a client may send before the server has taken them, on all streams and on one.
    static let connectionWindow = 1 << 20
    static let streamWindow = 256 << 10
    /// The bytes of an answer that wait for the client before its call is held back.
    static let unsentBytes = 64 << 10

    static var connection: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: streams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerListBytes),
        ]
        configuration.maximumSequentialContinuationFrames = continuationFrames
        configuration.targetWindowSize = connectionWindow
        configuration.controlFrameRateLimit.maximumCount = controlFramesPerSecond
        configuration.controlFrameRateLimit.windowLength = .seconds(1)
        return configuration
    }

    static var stream: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = streamWindow
        configuration.outboundBufferSizeHighWatermark = unsentBytes
        configuration.outboundBufferSizeLowWatermark = unsentBytes / 2
        configuration.streamResetFrameRateLimit.maximumCount = resetsPerSecond
        configuration.streamResetFrameRateLimit.windowLength = .seconds(1)
        configuration.streamErrorRateLimit.maximumCount = resetsPerSecond
        configuration.streamErrorRateLimit.windowLength = .seconds(1)
        return configuration
    }
}

// Checks one streamed answer of the mock engine: every event once, in order, and how late each one came.

import Loopback

/// Counts over all streams of a run; shared by their checks.
final class StreamTally {
    var relayDelay = Histogram()
    var events = 0
    var lost = 0
    /// Events that came twice, out of order, or from another stream.
    var misplaced = 0
    /// Streams that ended without `[DONE]`.
    var undone = 0
}

/// Reads the body of one response: lines of SSE, at any partition.
struct StreamCheck: BodySink {
    /// The time at which the bytes now taken were read.
    var now: UInt64 = 0
    /// Whether delays count: not while the streams are still ramped up.
    var measured = false
    /// When the first content event of the current stream came.
    private(set) var firstEvent: UInt64?
    private let tally: StreamTally
    private let expected: Int
    private let partial = ByteQueue(capacity: 512)
    private var next = 0
    private var stream: UInt64?
    private var done = false

    init(expected: Int, tally: StreamTally) {
        self.expected = expected
        self.tally = tally
    }

    mutating func begin() {
        firstEvent = nil
        next = 0
        stream = nil
        done = false
        partial.removeAll()
    }

    /// Settles the current stream; call once when its response is complete.
    func finish() {
        tally.lost += max(0, expected - next)
        if !done { tally.undone += 1 }
    }

    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var start = 0
        while let newline = bytes.firstOffset(of: 0x0A, from: start) {
            let line = UnsafeRawBufferPointer(rebasing: bytes[start..<newline])
            if partial.count > 0 {
                keep(line)
                read(partial.bytes)
                partial.removeAll()
            } else {
                read(line)
            }
            start = newline + 1
        }
        if start < bytes.count { keep(UnsafeRawBufferPointer(rebasing: bytes[start...])) }
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) {
        if let base = bytes.baseAddress { partial.append(base, count: bytes.count) }
    }

    private mutating func read(_ line: UnsafeRawBufferPointer) {
        guard line.matches("data:", at: 0) else { return }
        // `t=` in a content string; the mark and its three numbers are of fixed width, see EventTemplate.
        if let mark = line.firstOffset(of: "\"t="),
            let sent = line.decimal(at: mark + 3),
            let sequence = line.decimal(at: mark + 25),
            let id = line.decimal(at: mark + 33)
        {
            count(sent: sent, sequence: Int(sequence), id: id)
        } else if line.firstOffset(of: "[DONE]") != nil {
            done = true
        }
    }

    private mutating func count(sent: UInt64, sequence: Int, id: UInt64) {
        tally.events += 1
        if firstEvent == nil { firstEvent = now }
        if stream == nil { stream = id }
        if stream != id || sequence < next {
            tally.misplaced += 1
            return
        }
        tally.lost += sequence - next
        next = sequence + 1
        if measured { tally.relayDelay.record(now > sent ? now - sent : 0) }
    }
}

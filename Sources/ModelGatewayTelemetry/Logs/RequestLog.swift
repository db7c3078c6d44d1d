// The access log: entries wait in a bounded queue until a thread of its own has rendered and written them.

import GatewaySystem
import GatewayWire
public import ModelGateway
import Synchronization

/// Writes one line for each finished request, off the path of the request.
///
/// An entry costs the caller a short lock. When entries come faster than they can be written, the oldest are dropped and
/// counted. Call ``close()`` at shutdown, or the last lines may be missing.
public final class RequestLog: CallObserver, Sendable {
    private struct State {
        var queue: [RequestLogEntry] = []
        /// The first entry that was not dropped; the queue is compacted when it is taken.
        var head = 0
        var dropped = 0
        var isSleeping = false
        var isClosing = false
    }

    private let format: Configuration.Logging.Format
    private let capacity: Int
    private let destination: @Sendable ([UInt8]) -> Void
    private let state = Lock(State())
    /// A byte is written here to wake the thread; its end of file says that the thread has ended.
    private let wake: Pipe
    private let done: Pipe

    /// Starts the log and its thread.
    /// - Parameters:
    ///   - format: The form of lines.
    ///   - capacity: Entries that may wait, at least 1. Default 10,000.
    ///   - destination: Takes the bytes of some lines; called on the log's own thread and may block. Default: standard
    ///     error.
    /// - Throws: `GatewayError.Code.internalError` if the system gives no thread or pipe.
    public init(
        format: Configuration.Logging.Format,
        capacity: Int = 10_000,
        destination: @escaping @Sendable ([UInt8]) -> Void = { LogDestination.standardError($0) }
    ) throws(GatewayError) {
        self.format = format
        self.capacity = max(1, capacity)
        self.destination = destination
        wake = try Self.makePipe()
        done = try Self.makePipe()
        try startThread()
    }

    deinit {
        for end in [wake.readEnd, wake.writeEnd, done.readEnd] { end.close() }
    }

    /// How many entries were dropped because the queue was full.
    public var dropped: Int { state.withLock { $0.dropped } }

    public func callFinished(_ record: CallRecord) {
        write(RequestLogEntry(record))
    }

    /// Puts an entry into the queue. Never blocks for longer than a short lock; has no effect after ``close()``.
    package func write(_ entry: RequestLogEntry) {
        let mustWake = state.withLock { state in
            guard !state.isClosing else { return false }
            if state.queue.count - state.head >= capacity {
                state.head += 1
                state.dropped += 1
                if state.head >= capacity {
                    state.queue.removeFirst(state.head)
                    state.head = 0
                }
            }
            state.queue.append(entry)
            defer { state.isSleeping = false }
            return state.isSleeping
        }
        if mustWake { wakeUp() }
    }

    /// Writes what waits and ends the thread. Blocks until that is done; idempotent.
    public func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosing = true }
            return !state.isClosing
        }
        if isFirst { wakeUp() }
        _ = Self.readByte(done.readEnd)
    }

    // MARK: The thread

    private static let collecting = Duration.milliseconds(5)

    private func startThread() throws(GatewayError) {
        let status = OwnThread.start(name: "gateway-log") { self.run() }
        guard status == 0 else {
            done.writeEnd.close()
            throw GatewayError(.internalError, "Cannot start the thread of the access log.")
        }
    }

    private func run() {
        var buffer: [UInt8] = []
        while true {
            let (batch, isClosing) = take()
            for entry in batch {
                if format == .json { entry.appendJSON(to: &buffer) } else { entry.appendText(to: &buffer) }
                if buffer.count >= 64 << 10 { flush(&buffer) }
            }
            flush(&buffer)
            if batch.isEmpty {
                if isClosing { break }
                guard Self.readByte(wake.readEnd) else { break }
                // Under load this collects a batch, instead of one wake-up for each entry.
                CurrentThread.sleep(for: Self.collecting)
            }
        }
        // The end of this pipe is what close() waits for.
        done.writeEnd.close()
    }

    /// What waits; with nothing, the next entry will wake the thread.
    private func take() -> (batch: ArraySlice<RequestLogEntry>, isClosing: Bool) {
        state.withLock { state in
            let batch = state.queue[state.head...]
            state.queue = []
            state.head = 0
            state.isSleeping = batch.isEmpty
            return (batch, state.isClosing)
        }
    }

    private func flush(_ buffer: inout [UInt8]) {
        guard !buffer.isEmpty else { return }
        destination(buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    // MARK: Pipes

    private static func makePipe() throws(GatewayError) -> Pipe {
        do throws(SystemError) {
            return try Pipe()
        } catch {
            throw GatewayError(.internalError, "Cannot open a pipe for the access log: \(error).")
        }
    }

    private func wakeUp() {
        LogDestination.write([1], to: wake.writeEnd.descriptor)
    }

    /// Waits for a byte; false at the end of the pipe.
    private static func readByte(_ end: StreamDescriptor) -> Bool {
        (try? end.read(atMost: 1))?.isEmpty == false
    }
}

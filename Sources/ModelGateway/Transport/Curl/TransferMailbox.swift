// What the event loop hands to the task that waits for a response: the head, the bytes that have arrived, the end.

import GatewayWire
import Synchronization

/// The status and header lines of the final response.
struct TransferHead: Sendable {
    var status: Int
    var headers: HTTPHeaderBlock
}

/// How a transfer ended.
enum TransferEnd: Sendable {
    case complete
    case failed(GatewayError)
}

/// What a consumer gets when it asks for body bytes.
enum BodyRead: Sendable {
    case bytes([UInt8])
    case end
    case failed(GatewayError)
    /// Nothing there yet.
    case wait
}

/// The one place where the event loop and the consumer of a transfer meet.
///
/// The loop delivers once per turn, so a consumer is woken once however many chunks arrived. A continuation is resumed
/// exactly once: whoever takes it out of the box, under the lock, resumes it after the lock is released.
final class TransferMailbox: Sendable {
    private enum Waiting {
        case nobody
        case head(UnsafeContinuation<Result<TransferHead, GatewayError>, Never>)
        case body(UnsafeContinuation<BodyRead, Never>)
    }

    private struct Box {
        var waiting = Waiting.nobody
        var head: TransferHead?
        var chunk: [UInt8] = []
        var end: TransferEnd?
        /// The loop has paused the transfer until the consumer has taken what is here.
        var isHeldBack = false
        var isCancelled = false
        var isDiscarded = false
    }

    private let box = Lock(Box())

    static var cancellation: GatewayError {
        TransportFailure.cancelled(wasSent: true)
    }

    // MARK: Consumer, on any thread

    /// Suspends until the head is there. `started` runs once the wait is in place.
    func waitForHead(started: () -> Void) async -> Result<TransferHead, GatewayError> {
        await withUnsafeContinuation { continuation in
            let isCancelled = box.withLock { box in
                if !box.isCancelled { box.waiting = .head(continuation) }
                return box.isCancelled
            }
            if isCancelled {
                continuation.resume(returning: .failure(TransportFailure.cancelled(wasSent: false)))
            } else {
                started()
            }
        }
    }

    /// Takes everything that is there, without waiting.
    /// - Parameter released: Called if the loop had paused the transfer until these bytes were taken.
    func read(released: () -> Void) -> BodyRead {
        let (result, mustRelease) = box.withLock { box in Self.take(from: &box) }
        if mustRelease { released() }
        return result
    }

    /// Suspends until there is something to take.
    /// - Parameter released: As in ``read(released:)``.
    func waitForBody(released: () -> Void) async -> BodyRead {
        await withUnsafeContinuation { continuation in
            let (result, mustRelease) = box.withLock { box in
                let (result, mustRelease) = Self.take(from: &box)
                if case .wait = result { box.waiting = .body(continuation) }
                return (result, mustRelease)
            }
            if mustRelease { released() }
            if case .wait = result { return }
            continuation.resume(returning: result)
        }
    }

    /// Ends the consumer's wait. Returns whether the loop still has a transfer to stop.
    func cancel() -> Bool {
        let (waiting, isRunning) = box.withLock { box in
            let waiting = box.waiting
            box.waiting = .nobody
            box.isCancelled = true
            box.chunk = []
            return (waiting, box.end == nil && !box.isDiscarded)
        }
        switch waiting {
        case .nobody: break
        case .head(let continuation): continuation.resume(returning: .failure(Self.cancellation))
        case .body(let continuation): continuation.resume(returning: .failed(Self.cancellation))
        }
        return isRunning
    }

    /// Notes that nothing more will be read. Returns whether the loop still has a transfer to finish; if so, a
    /// later ``cancel()`` leaves it alone.
    func discard() -> Bool {
        box.withLock { box in
            box.chunk = []
            if box.isCancelled || box.isDiscarded { return false }
            box.isDiscarded = true
            return box.end == nil
        }
    }

    // MARK: Event loop

    /// Whether the consumer gave up.
    var isCancelled: Bool { box.withLock { $0.isCancelled } }

    /// If too much is waiting here, notes that the transfer is paused until the consumer has taken it.
    /// - Parameters:
    ///   - limit: How many bytes may wait.
    ///   - undelivered: Bytes that the loop has and will deliver at the end of its turn.
    /// - Returns: The bytes that wait here, and whether the transfer is paused.
    func holdBack(over limit: Int, undelivered: Int) -> (waitingBytes: Int, isHeldBack: Bool) {
        box.withLock { box in
            let isTooMuch = !box.isCancelled && box.chunk.count + undelivered >= limit
            if isTooMuch { box.isHeldBack = true }
            return (box.chunk.count, isTooMuch)
        }
    }

    /// Hands over what arrived during this turn of the loop, and wakes the consumer if it is waiting for any of it.
    /// - Parameter bytes: The body bytes; empty afterwards.
    /// - Returns: The bytes that wait after that, and whether the transfer may be resumed.
    func deliver(
        head: TransferHead?,
        bytes: inout [UInt8],
        end: TransferEnd?
    ) -> (waitingBytes: Int, isReleased: Bool) {
        var arrived: [UInt8] = []
        swap(&arrived, &bytes)
        let (wake, outcome) = box.withLock { box in
            if let head { box.head = head }
            if box.isCancelled {
                arrived = []
            } else if box.chunk.isEmpty {
                swap(&box.chunk, &arrived)
            } else {
                box.chunk.append(contentsOf: arrived)
            }
            if let end { box.end = end }
            let (wake, isReleased) = Self.wakeIfSatisfied(&box)
            return (wake, (waitingBytes: box.chunk.count, isReleased: isReleased))
        }
        switch wake {
        case .nobody: break
        case .head(let continuation, let result): continuation.resume(returning: result)
        case .body(let continuation, let read): continuation.resume(returning: read)
        }
        return outcome
    }

    /// Ends a transfer for which nothing ever arrived.
    func fail(_ error: GatewayError) {
        var nothing: [UInt8] = []
        _ = deliver(head: nil, bytes: &nothing, end: .failed(error))
    }

    private enum Wake {
        case nobody
        case head(UnsafeContinuation<Result<TransferHead, GatewayError>, Never>, Result<TransferHead, GatewayError>)
        case body(UnsafeContinuation<BodyRead, Never>, BodyRead)
    }

    private static func wakeIfSatisfied(_ box: inout Box) -> (Wake, isReleased: Bool) {
        switch box.waiting {
        case .nobody:
            return (.nobody, false)
        case .head(let continuation):
            if let head = box.head {
                box.waiting = .nobody
                return (.head(continuation, .success(head)), false)
            }
            guard case .failed(let error) = box.end else { return (.nobody, false) }
            box.waiting = .nobody
            return (.head(continuation, .failure(error)), false)
        case .body(let continuation):
            let (read, isReleased) = take(from: &box)
            if case .wait = read { return (.nobody, false) }
            box.waiting = .nobody
            return (.body(continuation, read), isReleased)
        }
    }

    private static func take(from box: inout Box) -> (BodyRead, mustRelease: Bool) {
        if box.isCancelled || box.isDiscarded { return (.failed(cancellation), false) }
        if !box.chunk.isEmpty {
            var taken: [UInt8] = []
            swap(&taken, &box.chunk)
            let mustRelease = box.isHeldBack
            box.isHeldBack = false
            return (.bytes(taken), mustRelease)
        }
        switch box.end {
        case .none: return (.wait, false)
        case .complete: return (.end, false)
        case .failed(let error): return (.failed(error), false)
        }
    }
}

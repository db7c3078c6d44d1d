// One request and its response while the event loop works on it.

internal import CCurl

/// One exchange: what the loop thread knows of it, and the mailbox through which its consumer sees it.
///
/// `@unchecked Sendable` because libcurl's callbacks need it by address. The loop's thread alone reads and writes the
/// variables, from ``CurlEventLoop/start`` on; consumers touch only the constants, of which the mailbox has its own lock.
final class CurlTransfer: @unchecked Sendable {
    /// How far the exchange has come. The order matters.
    enum Phase: Int, Comparable {
        case connecting
        case sending
        case readingHead
        case readingBody

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    /// Why this side ended the transfer, where libcurl only sees a callback that failed.
    enum Abort {
        case headersTooLarge
        case requestBodyFailed(GatewayError)
        case requestBodyLength
        case mayHaveBeenTaken
    }

    let request: HTTPTransportRequest
    let loop: CurlEventLoop
    let mailbox = TransferMailbox()

    /// Set while the transfer is in the loop's multi handle.
    var handle: CurlHandle?
    var phase = Phase.connecting
    var abort: Abort?
    /// The sockets that were opened for it, one for each address that was tried; none if a kept connection served.
    var sockets: [Int32] = []
    /// There was no descriptor for one of its sockets.
    var lacksDescriptor = false
    /// TCP has connected, and a handshake of TLS or of a proxy goes on.
    var isTCPConnected = false
    /// Whether the loop has it on its list of transfers with news for their consumers.
    var isDirty = false

    // Time. `deadline` is the earlier one of the phase's and the total's.
    var phaseDeadline = MonotonicInstant.never
    var totalDeadline = MonotonicInstant.never
    /// The time under which the loop's timers have it, and its place in them; -1 when it is not in.
    var scheduled = MonotonicInstant.never
    var timerIndex = -1
    var deadline: MonotonicInstant { min(phaseDeadline, totalDeadline) }

    // Response. `received` are the bytes of this turn of the loop.
    var headerLines: [UInt8] = []
    var headerBytes = 0
    var hasFinalHead = false
    var newHead: TransferHead?
    var received: [UInt8] = []
    var waitingBytes = 0
    var isHeldBack = false
    /// The bytes that may still be read and thrown away; nil while they are wanted.
    var discardBudget: Int?
    var end: TransferEnd?

    // Request body.
    var upload: CurlUpload?

    init(_ request: HTTPTransportRequest, on loop: CurlEventLoop) {
        self.request = request
        self.loop = loop
        switch request.body {
        case .none: break
        case .bytes(let bytes): if bytes.count > CurlUpload.inlineLimit { upload = CurlUpload(bytes: bytes) }
        case .stream(let source, let length): upload = CurlUpload(source: source, length: length)
        }
    }

    /// Waits for the final response head; the transfer begins now.
    func head() async -> Result<TransferHead, GatewayError> {
        await mailbox.waitForHead { loop.submit(.start(self)) }
    }

    /// Gives up. The loop closes the connection in its next turn. Callable on any thread, any number of times.
    func cancel() {
        if mailbox.cancel() { loop.submit(.cancel(self)) }
    }

    /// Lets the loop read a small rest of the body, so that the connection can be kept. Callable on any thread.
    func discard() {
        if mailbox.discard() { loop.submit(.discard(self)) }
    }

    /// Sets the limit for what the transfer does now, counted from `now`.
    func allow(_ limit: Duration, from now: MonotonicInstant) {
        phaseDeadline = now.after(limit: limit)
    }
}

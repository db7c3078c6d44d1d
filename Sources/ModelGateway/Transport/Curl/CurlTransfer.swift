// One request and its response while the event loop works on it.

internal import CCurl

/// One exchange: what the loop thread knows of it, and the mailbox through which its consumer sees it.
///
/// `@unchecked Sendable` because libcurl's callbacks need its address. Only the loop's thread reads and writes the
/// variables, from ``CurlEventLoop/start`` on; consumers use only the constants, and the mailbox has a lock of its own.
final class CurlTransfer: @unchecked Sendable {
    /// How far the exchange has got. The order matters.
    enum Phase: Int, Comparable {
        case connecting
        case sending
        case readingHead
        case readingBody

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    /// Why this side ended the transfer, when libcurl only sees a failed callback.
    enum Abort {
        case headersTooLarge
        case requestBodyFailed(GatewayError)
        case requestBodyLength
        case mayHaveBeenTaken
        case proxyWantsCredentials
    }

    let request: HTTPTransportRequest
    let loop: CurlEventLoop
    let mailbox = TransferMailbox()

    /// Set while the transfer is in the loop's multi handle.
    var handle: CurlHandle?
    var phase = Phase.connecting
    var abort: Abort?
    /// The sockets that were opened for it, one for each address that was tried; none if it reused a connection.
    var sockets: [Int32] = []
    /// No descriptor was left for one of its sockets.
    var lacksDescriptor = false
    /// TCP has connected, and a TLS or proxy handshake is in progress.
    var isTCPConnected = false
    /// Whether the loop has it on its list of transfers with news for their consumers.
    var isDirty = false

    // Time. `deadline` is the earlier of the phase's and the total one.
    var phaseDeadline = MonotonicInstant.never
    var totalDeadline = MonotonicInstant.never
    /// The time at which the loop's timers will look at it, and its index in them; -1 when it is not there.
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
    /// How many bytes may still be read and thrown away; nil while the body is wanted.
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

    /// Lets the loop read what is left of the body if it is small, so that the connection can be reused. Callable on
    /// any thread.
    func discard() {
        if mailbox.discard() { loop.submit(.discard(self)) }
    }

    /// Sets the limit for the transfer's current phase, counted from `now`.
    func allow(_ limit: Duration, from now: MonotonicInstant) {
        phaseDeadline = now.after(limit: limit)
    }
}

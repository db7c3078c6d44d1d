// The thread that drives libcurl: it waits for sockets, timers and messages, and runs the tasks that prefer it.

internal import CCurl
import GatewaySystem
import GatewayWire
internal import Synchronization

/// One thread with one multi handle of libcurl, driven by `curl_multi_socket_action`.
///
/// It is also a task executor: a task that runs on it starts a transfer and is resumed by it without switching
/// threads.
///
/// `@unchecked Sendable`: other threads use ``submit(_:)``, ``enqueue(_:)`` and the constants (`inbox` has a lock);
/// every variable belongs to the thread that runs ``run()``.
final class CurlEventLoop: TaskExecutor, @unchecked Sendable {
    let options: CurlTransport.Options
    let poller: Poller
    let multi: UnsafeMutableRawPointer
    private let inbox = CurlInbox()
    private let thread = Atomic<UInt>(0)

    // Only for the loop's thread, from here on.
    private(set) var now = MonotonicInstant.now
    var timers = TransferTimers()
    private var curlDeadline = MonotonicInstant.never
    private var local: [Command] = []
    private var running: [Command] = []
    private var withNews: [CurlTransfer] = []
    private var delivering: [CurlTransfer] = []
    private var freeHandles: [CurlHandle] = []
    private var isRetiring = false
    private var isShutDown = false

    private static let maxFreeHandles = 256

    init(options: CurlTransport.Options) throws(GatewayError) {
        guard CurlLibrary.isReady, let multi = curl_multi_init() else {
            throw GatewayError(.internalError, "libcurl cannot be initialised.")
        }
        self.options = options
        self.multi = multi
        do throws(SystemError) {
            poller = try Poller()
        } catch {
            curl_multi_cleanup(multi)
            throw GatewayError(.internalError, "Cannot create the event loop of the HTTP transport: \(error).")
        }
        let context = Unmanaged.passUnretained(self).toOpaque()
        _ = ccurl_multi_set_socket_callback(multi, curlWatchesSocket)
        _ = ccurl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        _ = ccurl_multi_set_timer_callback(multi, curlSetsTimer)
        _ = ccurl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        let kept = min(options.maxIdleConnections, options.room.idleLimit)
        _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, kept)
        try startThread()
    }

    /// The thread keeps the loop alive until it ends.
    private func startThread() throws(GatewayError) {
        let status = OwnThread.start(name: "gateway-http") { self.run() }
        guard status == 0 else {
            curl_multi_cleanup(multi)
            throw GatewayError(.internalError, "Cannot start the thread of the HTTP transport.")
        }
    }

    // MARK: Any thread

    /// Whether the caller is on the loop's thread.
    var isCurrent: Bool { isThread(CurrentThread.id) }

    /// Whether this is the loop's thread.
    func isThread(_ thread: UInt) -> Bool { self.thread.load(ordering: .relaxed) == thread }

    func enqueue(_ job: consuming ExecutorJob) {
        submit(.job(UnownedJob(job)))
    }

    /// Puts a command into the queue and wakes the loop if it sleeps.
    func submit(_ command: Command) {
        if isCurrent {
            local.append(command)
            return
        }
        switch inbox.submit(command) {
        case .isAwake: break
        case .sleeps: poller.wake()
        case .hasEnded: refuse(command)
        }
    }

    /// Returns when the loop's thread has done its last work.
    func waitForEnd() async {
        await inbox.waitForClose()
    }

    /// What happens to a command after the end. Tasks that still prefer this loop run elsewhere.
    private func refuse(_ command: Command) {
        switch command {
        case .job(let job):
            globalConcurrentExecutor.enqueue(ExecutorJob(job))
        case .start(let transfer):
            transfer.mailbox.fail(Self.shuttingDown)
        case .cancel, .discard, .release, .upload, .retire, .shutDown:
            break
        }
    }

    static var shuttingDown: GatewayError {
        GatewayError(.shuttingDown, "The HTTP transport is shut down.")
    }

    // MARK: The loop's thread

    private func run() {
        thread.store(CurrentThread.id, ordering: .relaxed)
        var turnsWithoutPoll = 0
        while true {
            inbox.take(into: &local)
            runCommands()
            runTimers()
            collectFinished()
            deliverNews()
            if !local.isEmpty, turnsWithoutPoll < 8 {
                turnsWithoutPoll += 1
                continue
            }
            turnsWithoutPoll = 0
            if isRetiring, timers.transfers.isEmpty, local.isEmpty, endIfIdle() { break }
            poll()
        }
    }

    private func runCommands() {
        swap(&local, &running)
        for command in running {
            switch command {
            case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            case .start(let transfer): start(transfer)
            case .cancel(let transfer): finish(transfer, with: .failed(TransferMailbox.cancellation))
            case .discard(let transfer): discard(transfer)
            case .release(let transfer): release(transfer)
            case .upload(let transfer, let answer): upload(answer, for: transfer)
            case .retire: isRetiring = true
            case .shutDown: stopAll()
            }
        }
        running.removeAll(keepingCapacity: true)
    }

    private func poll() {
        var wait: Int64?
        let next = min(curlDeadline, timers.next ?? .never)
        if !local.isEmpty {
            wait = 0
        } else if next != .never {
            wait = max(0, (next - .now).nanoseconds)
        }
        if wait != 0 {
            if !inbox.sleep() { wait = 0 }
        }
        poller.wait(nanoseconds: wait) { socket, readiness in
            var left: Int32 = 0
            curl_multi_socket_action(multi, socket, readiness.forCurl, &left)
        }
        now = .now
    }

    private func runTimers() {
        // Each step may immediately ask for another; after a few, the sockets get their turn.
        for _ in 0..<4 where curlDeadline <= now {
            curlDeadline = .never
            var left: Int32 = 0
            curl_multi_socket_action(multi, ccurl_socket_timeout, 0, &left)
        }
        while let transfer = timers.firstExpired(at: now) {
            finish(transfer, with: .failed(CurlFailure.timedOut(transfer, at: now)))
        }
    }

    /// `CURLMOPT_TIMERFUNCTION`: libcurl wants to be called in so many milliseconds, or not at all.
    func curlTimerChanged(milliseconds: Int) {
        if milliseconds < 0 {
            curlDeadline = .never
        } else if milliseconds == 0 {
            curlDeadline = now
        } else {
            curlDeadline = .now + .milliseconds(milliseconds)
        }
    }

    /// Without this before each sleep, a finished transfer would wait for the next timer.
    private func collectFinished() {
        var result = CURLE_OK
        while let easy = ccurl_multi_next_finished(multi, &result) {
            var context: UnsafeMutableRawPointer?
            ccurl_get_pointer(easy, CURLINFO_PRIVATE, &context)
            guard let context else { continue }
            let transfer = Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
            finish(transfer, with: CurlFailure.end(of: transfer, result: result))
        }
    }

    // MARK: Transfers

    private func start(_ transfer: CurlTransfer) {
        // Cancelled before it began; the cancellation may even have arrived first.
        guard transfer.end == nil else { return }
        if transfer.mailbox.isCancelled { return finish(transfer, with: .failed(TransferMailbox.cancellation)) }
        if isShutDown { return finish(transfer, with: .failed(Self.shuttingDown)) }
        guard let handle = freeHandles.popLast() ?? CurlHandle() else {
            return finish(transfer, with: .failed(GatewayError(.internalError, "libcurl is out of memory.")))
        }
        do throws(GatewayError) {
            try handle.prepare(transfer, options: options)
        } catch {
            recycle(handle)
            return finish(transfer, with: .failed(error))
        }
        transfer.totalDeadline = now.after(limit: transfer.request.timeouts.total)
        transfer.allow(transfer.request.timeouts.connect, from: now)
        transfer.handle = handle
        timers.insert(transfer)
        let result = curl_multi_add_handle(multi, handle.easy)
        if result != CURLM_OK {
            finish(transfer, with: .failed(GatewayError(.internalError, "libcurl did not take the request.")))
        }
    }

    /// Takes a transfer out of libcurl, whatever its state, and tells its consumer.
    private func finish(_ transfer: CurlTransfer, with end: TransferEnd) {
        guard transfer.end == nil else { return }
        transfer.end = end
        hasNews(transfer)
        if let upload = transfer.upload {
            upload.task?.cancel()
            if !upload.isComplete { upload.source?.cancel() }
        }
        guard let handle = transfer.handle else { return }
        curl_multi_remove_handle(multi, handle.easy)
        transfer.handle = nil
        timers.remove(transfer)
        recycle(handle)
    }

    private func recycle(_ handle: CurlHandle) {
        guard freeHandles.count < Self.maxFreeHandles else { return }
        handle.recycle()
        freeHandles.append(handle)
    }

    /// Notes that the consumer has news to receive at the end of this turn.
    func hasNews(_ transfer: CurlTransfer) {
        guard !transfer.isDirty else { return }
        transfer.isDirty = true
        withNews.append(transfer)
    }

    private func deliverNews() {
        guard !withNews.isEmpty else { return }
        swap(&withNews, &delivering)
        for transfer in delivering {
            transfer.isDirty = false
            let outcome = transfer.mailbox.deliver(
                head: transfer.newHead,
                bytes: &transfer.received,
                end: transfer.end
            )
            transfer.newHead = nil
            transfer.waitingBytes = outcome.waitingBytes
            if outcome.isReleased { local.append(.release(transfer)) }
        }
        delivering.removeAll(keepingCapacity: true)
    }

    /// Lets libcurl continue a transfer after this turn, during which it must not be called.
    func resumeLater(_ transfer: CurlTransfer) {
        local.append(.release(transfer))
    }

    private func release(_ transfer: CurlTransfer) {
        if transfer.isHeldBack {
            transfer.isHeldBack = false
            transfer.allow(transfer.request.timeouts.idle, from: now)
            timers.deadlineChanged(of: transfer)
        }
        transfer.upload?.isPaused = false
        resume(transfer)
    }

    private func discard(_ transfer: CurlTransfer) {
        guard transfer.handle != nil else { return }
        transfer.discardBudget = 64 * 1024
        transfer.received = []
        transfer.phaseDeadline = now + .seconds(1)
        timers.deadlineChanged(of: transfer)
        if transfer.isHeldBack {
            transfer.isHeldBack = false
            resume(transfer)
        }
    }

    private func upload(_ answer: Result<[UInt8]?, GatewayError>, for transfer: CurlTransfer) {
        guard transfer.handle != nil else { return }
        switch answer {
        case .success(let bytes):
            transfer.upload?.offer(bytes)
            transfer.upload?.isPaused = false
            resume(transfer)
        case .failure(let error):
            finish(transfer, with: .failed(CurlFailure.requestBody(error, of: transfer)))
        }
    }

    private func resume(_ transfer: CurlTransfer) {
        guard let handle = transfer.handle else { return }
        let held =
            (transfer.isHeldBack ? ccurl_pause_receive : 0)
            | (transfer.upload?.isPaused == true ? ccurl_pause_send : 0)
        let result = curl_easy_pause(handle.easy, held)
        if result != CURLE_OK { finish(transfer, with: CurlFailure.end(of: transfer, result: result)) }
    }

    // MARK: The end

    private func stopAll() {
        isRetiring = true
        isShutDown = true
        for transfer in timers.transfers { finish(transfer, with: .failed(Self.shuttingDown)) }
    }

    /// Closes everything unless there is new mail. True if the thread is to end.
    private func endIfIdle() -> Bool {
        guard inbox.end() else { return false }
        thread.store(0, ordering: .relaxed)
        freeHandles.removeAll()
        curl_multi_cleanup(multi)
        inbox.close()
        return true
    }
}

extension SocketReadiness {
    /// As `curl_multi_socket_action` takes it.
    fileprivate var forCurl: Int32 {
        (contains(.readable) ? ccurl_select_in : 0) | (contains(.writable) ? ccurl_select_out : 0)
            | (contains(.failed) ? ccurl_select_error : 0)
    }
}

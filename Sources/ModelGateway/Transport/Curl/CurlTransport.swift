// The HTTP client that comes with the library: libcurl, driven by event loops of our own.

import GatewaySystem
internal import Synchronization

/// An ``HTTPTransport`` over libcurl.
///
/// A transport starts one or more event-loop threads right away; each keeps its connections open for reuse. Create
/// one and share it. A program that exits needs no clean-up; one that keeps running should call ``shutdown()``.
///
/// ```swift
/// let transport = try CurlTransport()
/// let response = try await transport.send(HTTPTransportRequest(method: "GET", url: "http://127.0.0.1:8000/health"))
/// while let bytes = try await response.body.next() { consume(bytes) }
/// await transport.shutdown()
/// ```
///
/// - Certificates and host names are verified. Redirects are returned, not followed. Only `http` and `https` are
///   supported.
/// - If a reused connection turns out to be dead, it is replaced. A request of which nothing had been sent, or a `GET`
///   or `HEAD` without an answer yet, is then sent on a fresh one. Any other fails, since the server may be working on
///   it.
/// - A body that arrives compressed although nobody asked for that is decoded, and the lines `content-encoding` and
///   `content-length` are removed from the headers. A caller that sends `accept-encoding` gets the body as it arrived.
/// - The first transport of a process ignores `SIGPIPE`, unless the program has its own handler for it.
public final class CurlTransport: HTTPTransport {
    /// The settings it was created with.
    public let options: Options
    private let loops: [CurlEventLoop]
    private let next = Atomic<Int>(0)

    /// Starts a transport.
    /// - Throws: ``GatewayError/Code/internalError`` if libcurl or its threads cannot be started.
    public init(options: Options = Options()) throws(GatewayError) {
        self.options = options
        var options = options
        options.proxy = options.proxy.resolved
        var loops: [CurlEventLoop] = []
        do throws(GatewayError) {
            for _ in 0..<max(1, options.loops) { loops.append(try CurlEventLoop(options: options)) }
        } catch {
            for loop in loops { loop.submit(.retire) }
            throw error
        }
        self.loops = loops
    }

    deinit {
        for loop in loops { loop.submit(.retire) }
    }

    /// One of the event loops, in turn. A task that runs on it, through `withTaskExecutorPreference`, sends and reads
    /// without a thread switch. It must never block.
    public var preferredExecutor: (any TaskExecutor)? { pickLoop() }

    public func send(_ request: HTTPTransportRequest) async throws(GatewayError) -> HTTPTransportResponse {
        let transfer = CurlTransfer(request, on: pickLoop())
        let result = await withTaskCancellationHandler {
            await transfer.head()
        } onCancel: {
            transfer.cancel()
        }
        let head = try result.get()
        return HTTPTransportResponse(status: head.status, headers: head.headers, body: CurlResponseBody(transfer))
    }

    /// Fails whatever is in progress with ``GatewayError/Code/shuttingDown``, closes all connections and ends the
    /// threads. Returns when that is done. Later requests fail with the same code. Idempotent.
    public func shutdown() async {
        for loop in loops { loop.submit(.shutDown) }
        for loop in loops { await loop.waitForEnd() }
    }

    /// The loop that the caller is running on, or else the next one.
    private func pickLoop() -> CurlEventLoop {
        if loops.count == 1 { return loops[0] }
        let thread = CurrentThread.id
        if let current = loops.first(where: { $0.isThread(thread) }) { return current }
        let ticket = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return loops[Int(UInt(bitPattern: ticket) % UInt(loops.count))]
    }
}

// A request's streamed body on its way out: pulled from its source one piece at a time, as fast as the engine takes it.

import GatewayWire
import ModelGateway
import NIOCore

/// Sends what a call's body source gives. Used on its event loop only.
///
/// The source is asked for the next piece when the last one has left this process, so a slow engine holds the source back
/// and no more than one piece is in memory.
final class UpstreamUpload {
    private typealias Waiter = UnsafeContinuation<Bool, Never>

    private let source: any ByteStream
    /// The announced length; nil if the body says itself where it ends.
    let length: Int?
    private var sent = 0
    private var task: Task<Void, Never>?
    private weak var call: UpstreamCall?
    /// Whether the source has been asked: its bytes cannot be had a second time.
    var hasBegun: Bool { task != nil }
    /// Whether the whole body has been handed to the connection.
    private(set) var isComplete = false
    private var isStopped = false

    init(_ source: any ByteStream, length: Int?) {
        self.source = source
        self.length = length
    }

    /// Pulls and sends the body of a call whose head has been sent.
    func start(for call: UpstreamCall, on eventLoop: any EventLoop) {
        self.call = call
        let upload = NIOLoopBound(self, eventLoop: eventLoop)
        task = Task(executorPreference: LoopExecutor(eventLoop)) { [source] in
            let end: GatewayError?
            do throws(GatewayError) {
                while let bytes = try await source.next() {
                    let goesOn = await withUnsafeContinuation { waiter in
                        eventLoop.run { upload.value.send(bytes, waiter) }
                    }
                    guard goesOn else { return }
                }
                end = nil
            } catch {
                end = error
            }
            eventLoop.run { upload.value.sourceEnded(end) }
        }
    }

    /// Gives the source up, if it has not been read to its end.
    func stop() {
        guard !isComplete, !isStopped else { return }
        isStopped = true
        task?.cancel()
        source.cancel()
    }

    private func send(_ bytes: [UInt8], _ waiter: Waiter) {
        guard !isStopped, let call, let carrier = call.carrier else { return waiter.resume(returning: false) }
        sent += bytes.count
        if let length, sent > length {
            waiter.resume(returning: false)
            return call.giveUp(TransportFailure.wrongBodyLength(wasSent: true))
        }
        call.uploaded()
        carrier.send(body: bytes).assumeIsolated().whenComplete { result in
            if case .success = result { waiter.resume(returning: true) } else { waiter.resume(returning: false) }
        }
    }

    private func sourceEnded(_ error: GatewayError?) {
        guard !isStopped, let call, let carrier = call.carrier else { return }
        if let error { return call.giveUp(error) }
        if let length, sent < length { return call.giveUp(TransportFailure.wrongBodyLength(wasSent: true)) }
        isComplete = true
        call.uploaded()
        carrier.endBody()
    }
}

extension EventLoop {
    /// Runs `body` on this loop: at once if that is where the caller runs.
    fileprivate func run(_ body: @escaping @Sendable () -> Void) {
        if inEventLoop { body() } else { execute(body) }
    }
}

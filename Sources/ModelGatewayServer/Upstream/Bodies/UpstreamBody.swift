// A call to an engine as tasks see it: waiting for its head, pulling its body, giving it up, from any thread.

import GatewayWire
import ModelGateway
import NIOCore

/// Holds a call for code that may run anywhere. On the call's event loop nothing is sent around.
struct UpstreamCallReference: Sendable {
    private let call: NIOLoopBound<UpstreamCall>
    private let eventLoop: any EventLoop

    init(_ call: UpstreamCall, on eventLoop: any EventLoop) {
        self.call = NIOLoopBound(call, eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    /// Begins the call and waits for its final head.
    func response() async -> Result<HTTPResponseHead, GatewayError> {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in onLoop { $0.begin(continuation) } }
        } onCancel: {
            cancel()
        }
    }

    /// Waits for more of the body, or its end.
    func read() async -> UpstreamCall.BodyRead {
        if Task.isCancelled { cancel() }
        if eventLoop.inEventLoop, let read = call.value.take() { return read }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in onLoop { $0.read(continuation) } }
        } onCancel: {
            cancel()
        }
    }

    /// Passes on what comes of the body until its end.
    func forward(to receive: @escaping BodyReceiver) async -> UpstreamCall.ForwardEnd {
        if Task.isCancelled { cancel() }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in onLoop { $0.forward(to: receive, continuation) } }
        } onCancel: {
            cancel()
        }
    }

    func cancel() {
        onLoop { $0.cancel() }
    }

    func discard() {
        onLoop { $0.discard() }
    }

    private func onLoop(_ body: @escaping @Sendable (UpstreamCall) -> Void) {
        if eventLoop.inEventLoop {
            body(call.value)
        } else {
            eventLoop.execute { body(call.value) }
        }
    }
}

/// The response body as its consumer sees it. Giving it up, also by dropping it, closes the connection.
final class UpstreamBody: ByteStream {
    private let call: UpstreamCallReference

    init(_ call: UpstreamCallReference) {
        self.call = call
    }

    deinit {
        call.cancel()
    }

    func next() async throws(GatewayError) -> [UInt8]? {
        switch await call.read() {
        case .bytes(let bytes): return bytes
        case .end: return nil
        case .failed(let error): throw error
        }
    }

    func forward(to receive: @escaping BodyReceiver) async throws(GatewayError) -> Bool {
        switch await call.forward(to: receive) {
        case .whole: return true
        case .stopped: return false
        case .failed(let error): throw error
        }
    }

    func cancel() {
        call.cancel()
    }

    func discard() {
        call.discard()
    }
}

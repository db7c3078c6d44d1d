// The response body as its consumer sees it.

/// Pulls the body out of a transfer's mailbox. Discarding it early, or just dropping it, closes the connection.
final class CurlResponseBody: ByteStream {
    private let transfer: CurlTransfer

    init(_ transfer: CurlTransfer) {
        self.transfer = transfer
    }

    deinit {
        transfer.cancel()
    }

    func next() async throws(GatewayError) -> [UInt8]? {
        if Task.isCancelled { transfer.cancel() }
        let transfer = transfer
        let release = { transfer.loop.submit(.release(transfer)) }
        var read = transfer.mailbox.read(released: release)
        if case .wait = read {
            read = await withTaskCancellationHandler {
                await transfer.mailbox.waitForBody(released: release)
            } onCancel: {
                transfer.cancel()
            }
        }
        switch read {
        case .bytes(let bytes): return bytes
        case .end: return nil
        case .failed(let error): throw error
        case .wait: throw GatewayError(.internalError, "The response body was read without a result.")
        }
    }

    func cancel() {
        transfer.cancel()
    }

    func discard() {
        transfer.discard()
    }
}

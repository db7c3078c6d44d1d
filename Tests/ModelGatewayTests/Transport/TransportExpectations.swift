// What the transport's tests share: reading a body whole, expecting a failure, a body to send in parts.

import GatewayWire
import ModelGateway
import Synchronization
import Testing

/// Expects an operation to fail with a code, and returns the error.
@discardableResult
func expectTransportFailure<Result>(
    _ code: GatewayError.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ operation: () async throws -> Result
) async -> GatewayError? {
    do {
        let result = try await operation()
        Issue.record("Expected \(code), got \(result).", sourceLocation: sourceLocation)
        return nil
    } catch {
        let failure = error as? GatewayError
        #expect(failure?.code == code, "\(error)", sourceLocation: sourceLocation)
        return failure
    }
}

extension HTTPTransportResponse {
    /// The whole body.
    func bytes() async throws(GatewayError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try await body.next() {
            #expect(!more.isEmpty)
            bytes += more
        }
        return bytes
    }

    /// The whole body as text.
    func text() async throws(GatewayError) -> String {
        String(decoding: try await bytes(), as: UTF8.self)
    }
}

/// A body source with a fixed content. Empty parts are skipped: a source never gives an empty batch.
final class ScriptedByteStream: ByteStream {
    private let parts: Lock<[[UInt8]]>
    private let end: Result<Void, GatewayError>
    let isCancelled = Atomic<Bool>(false)

    init(_ parts: [[UInt8]], end: Result<Void, GatewayError> = .success(())) {
        self.parts = Lock(parts.filter { !$0.isEmpty })
        self.end = end
    }

    func next() async throws(GatewayError) -> [UInt8]? {
        await Task.yield()
        let part: [UInt8]? = parts.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if part == nil { try end.get() }
        return part
    }

    func cancel() {
        isCancelled.store(true, ordering: .relaxed)
    }
}

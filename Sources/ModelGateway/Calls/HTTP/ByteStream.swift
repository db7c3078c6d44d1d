// Bytes that are pulled as they are made, so that a slow receiver slows their producer.

/// Takes batches of body bytes that are handed over; see ``ByteStream/forward(to:)``.
public typealias BodyReceiver = @Sendable (_ bytes: [UInt8], _ isLast: Bool) -> Bool

/// A source of body bytes that is pulled, so that a slow receiver slows its producer.
public protocol ByteStream: AnyObject, Sendable {
    /// The next batch of bytes, never empty, or nil at the end of the body and ever after.
    ///
    /// Must not be called again while a call is pending. A cancelled task makes it throw ``GatewayError/Code/cancelled``
    /// and releases the source.
    func next() async throws(GatewayError) -> [UInt8]?

    /// Hands over each batch as it comes in, without waking the task in between if the source can do that: a relay of
    /// many streams spends less on each event. By default calls ``next()``.
    ///
    /// Must not be called while ``next()`` or another call is pending. Cancellation is that of ``next()``.
    /// - Parameter receive: Receives a batch, never empty, and whether it is known to be the last one; returns whether
    ///   it wants more at once. Called on any thread, one call at a time, and must not block.
    /// - Returns: Whether the body has ended; false if the receiver wanted no more. A later call goes on.
    func forward(to receive: @escaping BodyReceiver) async throws(GatewayError) -> Bool

    /// Gives the source up: the connection behind it is closed unless the body was already read to its end. Idempotent.
    func cancel()

    /// Says that the consumer has all it needs although the end was not read yet. The transport may read a small rest so
    /// that the connection can be used again, and must not wait long for it. By default the same as ``cancel()``.
    func discard()
}

extension ByteStream {
    /// Calls ``next()`` until the body ends or the receiver wants no more.
    public func forward(to receive: @escaping BodyReceiver) async throws(GatewayError) -> Bool {
        while let bytes = try await next() {
            guard receive(bytes, false) else { return false }
        }
        return true
    }

    /// The same as ``cancel()``.
    public func discard() { cancel() }
}

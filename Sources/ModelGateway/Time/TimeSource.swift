// Where the present comes from, so that tests can put a virtual clock in its place.

/// Where the present and the passing of time come from, so that tests can run on a virtual clock.
package struct TimeSource: Sendable {
    /// The present.
    package var now: @Sendable () -> MonotonicInstant
    /// Suspends until a duration has passed; throws `CancellationError` when the task is cancelled.
    package var sleep: @Sendable (Duration) async throws -> Void

    /// Creates a source.
    package init(
        now: @escaping @Sendable () -> MonotonicInstant,
        sleep: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }

    /// The machine's monotonic clock.
    package static let system = TimeSource(
        now: { .now },
        sleep: { try await Task.sleep(for: $0) }
    )
}

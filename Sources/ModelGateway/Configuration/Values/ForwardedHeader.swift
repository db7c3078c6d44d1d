// The header in which proxies name the client.

/// A header with the addresses that a request has passed, the client's first.
///
/// Only one is read: a proxy that writes one of them passes on what its client wrote into the other.
public enum ForwardedHeader: String, Sendable, Hashable, CaseIterable {
    /// `x-forwarded-for`, with `x-forwarded-proto` for the protocol.
    case xForwardedFor = "x-forwarded-for"
    /// `forwarded` (RFC 7239).
    case forwarded
}

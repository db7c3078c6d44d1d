// Whether HTTP/2 is spoken with providers.

/// Which versions of HTTP are spoken with a provider.
public enum HTTP2Use: String, Sendable, Hashable, CaseIterable {
    /// HTTP/1.1 only.
    case off = "false"
    /// `https` servers are offered HTTP/2 beside HTTP/1.1 (ALPN) and choose. Others are spoken to in HTTP/1.1.
    case negotiated = "true"
    /// As ``negotiated``, and `http` servers are spoken to in HTTP/2 from the first byte on (h2c), without asking.
    case priorKnowledge = "prior_knowledge"
}

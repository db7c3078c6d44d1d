// One transport for each set of connection settings, shared by all providers that have the same.

/// Transports by the settings that belong to a connection and not to a request.
struct TransportPool {
    /// Makes the transport for a set of settings out of the libcurl one that has them.
    typealias Wrap = (CurlTransport) throws(GatewayError) -> any HTTPTransport

    private struct Key: Hashable {
        var tls = TLSOptions()
        var http2 = HTTP2Use.off
        var proxy: Secret?
    }

    /// The transport of providers without settings of their own.
    let standard: any HTTPTransport
    private let wrap: Wrap
    private var others: [Key: any HTTPTransport] = [:]

    init(_ wrap: @escaping Wrap) throws(GatewayError) {
        self.wrap = wrap
        standard = try wrap(try CurlTransport())
    }

    /// The transport for a provider, with connections that it is to hold open.
    mutating func transport(for provider: Configuration.Provider) throws(GatewayError) -> any HTTPTransport {
        let transport = try sharedTransport(for: provider)
        if provider.keepWarm > 0, let url = provider.baseURL ?? provider.kind.defaultBaseURL {
            transport.keepWarm(provider.keepWarm, to: try BaseURL(url).description)
        }
        return transport
    }

    private mutating func sharedTransport(for provider: Configuration.Provider) throws(GatewayError)
        -> any HTTPTransport
    {
        let key = Key(tls: provider.tls, http2: provider.http2, proxy: provider.proxy)
        guard key != Key() else { return standard }
        if let transport = others[key] { return transport }
        var options = CurlTransport.Options()
        options.tls = provider.tls
        options.http2 = provider.http2
        if let proxy = provider.proxy { options.proxy = proxy.isEmpty ? .none : .url(proxy.reveal()) }
        let transport = try wrap(try CurlTransport(options: options))
        others[key] = transport
        return transport
    }
}

// One transport for each set of connection settings, shared by all providers that have the same.

/// Transports by the settings that belong to a connection and not to a request.
struct TransportPool {
    private struct Key: Hashable {
        var caFile: String?
        var http2: Bool?
        var proxy: Secret?
    }

    /// The transport of providers without settings of their own.
    let standard: any HTTPTransport
    private var others: [Key: CurlTransport] = [:]

    /// - Parameter wrap: Makes the standard transport out of the libcurl one.
    init(_ wrap: (CurlTransport) -> any HTTPTransport) throws(GatewayError) {
        standard = wrap(try CurlTransport())
    }

    /// The transport for a provider.
    mutating func transport(for provider: Configuration.Provider) throws(GatewayError) -> any HTTPTransport {
        let key = Key(caFile: provider.caFile, http2: provider.http2, proxy: provider.proxy)
        guard key != Key() else { return standard }
        if let transport = others[key] { return transport }
        var options = CurlTransport.Options()
        options.caFile = provider.caFile
        if let http2 = provider.http2 { options.http2 = http2 }
        if let proxy = provider.proxy { options.proxy = proxy.isEmpty ? .none : .url(proxy.reveal()) }
        let transport = try CurlTransport(options: options)
        others[key] = transport
        return transport
    }
}

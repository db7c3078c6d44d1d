// The keys about whose word counts: proxies before the server, and the file of its socket.

import GatewaySystem

extension ConfigurationSchema {
    static let socketMode = ConfigurationField<Configuration.Server>(
        key: "socket_mode",
        type: "text",
        standard: "\"0660\"",
        summary: "file mode of the Unix domain socket, in octal digits"
    ) { node, decoder, server in
        guard let text = decoder.string(node) else { return }
        guard text.utf8.count <= 4, let mode = Int(text, radix: 8), (0...0o777).contains(mode) else {
            return decoder.mistake("a file mode in octal digits was expected, such as \"0660\"", at: node.mark)
        }
        server.socketMode = mode
    }

    static let trustedProxies = ConfigurationField<Configuration.Server>(
        key: "trusted_proxies",
        type: "list of text",
        standard: "[]",
        summary:
            "addresses and networks of proxies that say who the client is, such as `10.0.0.0/8`; `unix` for the socket"
    ) { node, decoder, server in
        for element in decoder.elements(node) {
            guard let text = decoder.string(element) else { continue }
            guard text == "unix" || IPNetwork(text) != nil else {
                decoder.mistake(
                    "'\(text)' is neither an IP address nor a network such as '10.0.0.0/8'",
                    at: element.mark
                )
                continue
            }
            server.trustedProxies.append(text)
        }
    }

    static let proxyProtocol = ConfigurationField<Configuration.Server>(
        key: "proxy_protocol",
        type: "true or false",
        standard: "false",
        summary: "connections of `trusted_proxies` begin with a header of the PROXY protocol, version 1 or 2"
    ) { node, decoder, server in
        guard let isSpoken = decoder.boolean(node) else { return }
        server.proxyProtocol = isSpoken
    }

    static let serverTable = ConfigurationField<Configuration>(
        key: "server",
        type: "table: server",
        standard: "",
        summary: "the HTTP server",
        nested: { server.tables }
    ) { node, decoder, configuration in
        server.read(node, &decoder, into: &configuration.server)
        checkProxies(configuration.server, node, &decoder)
    }

    /// Whether the settings about proxies fit together.
    private static func checkProxies(
        _ server: Configuration.Server,
        _ node: ConfigurationNode,
        _ decoder: inout ConfigurationDecoder
    ) {
        guard server.trustedProxies.isEmpty else { return }
        let isUsed = [
            "proxy_protocol": server.proxyProtocol, "forwarded_header": server.forwardedHeader != .xForwardedFor,
        ]
        for (key, isUsed) in isUsed.sorted(by: { $0.key > $1.key }) where isUsed {
            decoder.mistake("'\(key)' needs 'trusted_proxies', those that are believed", at: node.entry(key)?.mark)
        }
    }
}

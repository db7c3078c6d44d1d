// The keys of the server's TLS.

extension ConfigurationSchema {
    static let serverTLS = Field<Configuration.Server>(
        key: "tls",
        type: "table: server TLS",
        standard: "",
        summary: "speak TLS",
        nested: { serverTLSSection.tables }
    ) { node, decoder, server in
        var tls = Configuration.ServerTLS(certificateFile: "", keyFile: "")
        serverTLSSection.read(node, &decoder, into: &tls)
        if tls.clientAuthentication != .none, tls.clientCAFile == nil {
            decoder.mistake("'client_auth' needs 'client_ca_file', the authorities of the clients", at: node.mark)
        }
        if tls.clientAuthentication == .none, let entry = node.entry("client_ca_file") {
            decoder.mistake("'client_ca_file' has no effect without 'client_auth'", at: entry.mark)
        }
        server.tls = tls
    }

    private static let serverTLSSection = ConfigurationSection<Configuration.ServerTLS>(
        "server TLS",
        [
            Field.string("certificate_file", \.certificateFile, "PEM file of the certificate and its chain").required,
            Field.string("key_file", \.keyFile, "PEM file of its private key").required,
            .secret("key_password", \.keyPassword, "the password that the key is encrypted with"),
            .choice(
                "min_version",
                \.minimumVersion,
                TLSOptions.Version.allCases,
                default: .tls12,
                "the oldest version that is accepted"
            ),
            applicationProtocols,
            .choice(
                "client_auth",
                \.clientAuthentication,
                Configuration.ServerTLS.ClientAuthentication.allCases,
                default: .none,
                "whether clients must present certificates"
            ),
            .string("client_ca_file", \.clientCAFile, "PEM file of the authorities that issue client certificates"),
            fingerprints,
            .list("sni", \.sni, namedCertificate, "further certificates, chosen by the name that a client asks for") {
                node,
                _,
                decoder,
                _ in
                var certificate = Configuration.ServerTLS.NamedCertificate(certificateFile: "", keyFile: "")
                namedCertificate.read(node, &decoder, into: &certificate)
                return certificate
            },
            .boolean("strict_sni", \.strictSNI, default: false, "refuse clients that ask for another name"),
            .duration(
                "reload_interval",
                \.reloadInterval,
                default: .seconds(60),
                "how often the files are checked for changes; 0: only at SIGHUP"
            ),
            .duration(
                "handshake_timeout",
                \.handshakeTimeout,
                default: .seconds(10),
                "time for a handshake; 0: no limit"
            ),
        ]
    )

    private static let namedCertificate = ConfigurationSection<Configuration.ServerTLS.NamedCertificate>(
        "certificate",
        [
            Field.strings("names", \.names, "host names; `*.` stands for one label").required,
            Field.string("certificate_file", \.certificateFile, "PEM file of the certificate and its chain").required,
            Field.string("key_file", \.keyFile, "PEM file of its private key").required,
            .secret("key_password", \.keyPassword, "the password that the key is encrypted with"),
        ]
    )

    private static let applicationProtocols = Field<Configuration.ServerTLS>(
        key: "alpn",
        type: "list of h2, http/1.1",
        standard: #"["h2", "http/1.1"]"#,
        summary: "versions of HTTP that are offered to clients, the preferred one first"
    ) { node, decoder, tls in
        var protocols: [Configuration.ServerTLS.ApplicationProtocol] = []
        let known = Configuration.ServerTLS.ApplicationProtocol.allCases
        for element in decoder.elements(node) {
            guard let name = decoder.string(element) else { continue }
            guard let found = known.first(where: { $0.rawValue == name }) else {
                decoder.unknownName(name, of: element, known: known.map(\.rawValue))
                continue
            }
            if !protocols.contains(found) { protocols.append(found) }
        }
        if !protocols.isEmpty { tls.alpn = protocols }
    }

    private static let fingerprints = Field<Configuration.ServerTLS>(
        key: "denied_client_certificates",
        type: "list of text",
        standard: "[]",
        summary: "SHA-256 sums of client certificates that are refused, in hexadecimal digits"
    ) { node, decoder, tls in
        for element in decoder.elements(node) {
            guard let text = decoder.string(element) else { continue }
            let digits = text.filter { $0 != ":" }
            guard digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else {
                decoder.mistake("a SHA-256 sum was expected: 64 hexadecimal digits", at: element.mark)
                continue
            }
            tls.deniedClientCertificates.append(digits.lowercased())
        }
    }
}

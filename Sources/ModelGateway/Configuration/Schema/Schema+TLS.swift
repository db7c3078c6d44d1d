// The keys of TLS to an upstream.

extension ConfigurationSchema {
    static let tls: [Field<TLSOptions>] = [
        .string("ca_file", \.caFile, "PEM file of the authorities to trust instead of the system's"),
        .string("client_certificate_file", \.certificateFile, "PEM file of the certificate that the upstream asks for"),
        .string("client_key_file", \.keyFile, "PEM file of the key of that certificate"),
        .secret("client_key_password", \.keyPassword, "the password that the key is encrypted with"),
        .choice(
            "tls_min_version",
            \.minimumVersion,
            TLSOptions.Version.allCases,
            default: .tls12,
            "the oldest version of TLS that is accepted"
        ),
        .string(
            "tls_server_name",
            \.serverName,
            "the name that the certificate must have; if left out, the URL's host"
        ),
        pins,
        Field(
            key: "insecure_skip_verify",
            type: "true or false",
            standard: "false",
            summary: "true: accept any certificate, so that anyone on the network path can read everything"
        ) { node, decoder, tls in
            guard let isSkipped = decoder.boolean(node) else { return }
            tls.verifiesCertificate = !isSkipped
            guard isSkipped else { return }
            decoder.warning(
                "certificates are not verified: anyone on the network path can read and change what is sent; name the authority as ca_file instead",
                at: node.mark
            )
        },
    ]

    private static let pins = Field<TLSOptions>(
        key: "pin_sha256",
        type: "list of text",
        standard: "[]",
        summary: "SHA-256 sums of public keys in Base64; if there are any, the certificate must have one of them"
    ) { node, decoder, tls in
        for element in decoder.elements(node) {
            guard let text = decoder.string(element) else { continue }
            guard let pin = TLSOptions.pin(text) else {
                decoder.mistake(
                    "the SHA-256 sum of a public key in Base64 was expected: 43 characters and =",
                    at: element.mark
                )
                continue
            }
            tls.pins.append(pin)
        }
    }
}

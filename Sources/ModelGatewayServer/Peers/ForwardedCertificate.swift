// A client's certificate as a proxy that ends TLS describes it (`x-forwarded-client-cert`, as Envoy writes it).

import GatewayWire
import ModelGateway

extension ClientCertificate {
    /// Reads the header of a trusted proxy. Of several certificates, the last is the one that this proxy has seen.
    /// - Returns: Nil if there is none.
    init?(forwarded values: [String]) {
        guard let element = values.flatMap(HTTPList.elements).last else { return nil }
        let parameters = HeaderParameters.read(element)
        func all(_ name: String) -> [String] { parameters.filter { $0.name == name && !$0.value.isEmpty }.map(\.value) }
        guard let fingerprint = all("hash").first?.lowercased() else { return nil }
        self.init(
            subject: all("subject").first ?? "",
            fingerprint: fingerprint,
            uris: all("uri"),
            dnsNames: all("dns")
        )
    }
}

// Which request bodies are read: those that can be JSON, and not compressed.

import ModelGateway

/// The rules for the bodies of model calls, the same for the data plane and for routes.
enum RequestBody {
    /// What is wrong with a body by its header lines alone.
    /// - Parameter coding: The body's content coding, from ``coding(_:)``.
    static func mistake(contentType: String?, coding: String?) -> GatewayError? {
        if let coding {
            return GatewayError(
                .unsupportedMediaType,
                "This endpoint reads bodies as they are, not with 'content-encoding: \(HeaderText.printable(coding))'; send it uncompressed."
            )
        }
        guard let contentType, !mayBeJSON(contentType) else { return nil }
        return GatewayError(
            .unsupportedMediaType,
            "This endpoint reads application/json, not \(HeaderText.printable(contentType))."
        )
    }

    /// What belongs to the answer to a body whose coding is not read (RFC 9110 §12.5.3).
    static let acceptedCodings = HTTPHeader("accept-encoding", "identity")

    /// The coding that a value of `content-encoding` names; nil if it changes nothing.
    static func coding(_ value: String) -> String? {
        let value = String(HeaderText.trimmed(Substring(value)))
        return value.isEmpty || HeaderText.equals(value, "identity") ? nil : value
    }

    /// Whether a body of this media type can be JSON. A missing type can, and so can the ones that simple programs send
    /// without thinking: `text/plain`, and `application/x-www-form-urlencoded` from `curl -d`.
    private static func mayBeJSON(_ contentType: String) -> Bool {
        if HeaderText.equals(contentType, "application/json") { return true }
        let type = HeaderText.trimmed(contentType.prefix { $0 != ";" }).lowercased()
        if type.utf8.count > 5, type.hasSuffix("+json") { return true }
        return ["application/json", "text/plain", "text/json", "application/x-www-form-urlencoded", ""].contains(type)
    }
}

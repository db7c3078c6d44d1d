// Which web pages may call the API from a browser: the CORS protocol of the Fetch standard.

import ModelGateway

/// The origins whose pages may read answers. Without any, which is the default, browsers keep all answers from pages.
struct CrossOriginRules: Sendable {
    private let origins: Set<String>
    private let isForAll: Bool

    init(_ origins: [String]) {
        self.origins = Set(origins.map { $0.lowercased() })
        isForAll = origins.contains("*")
    }

    /// Whether pages of any origin may call.
    var isOn: Bool { isForAll || !origins.isEmpty }

    /// What `access-control-allow-origin` says to a page; nil if it may not read the answer.
    func allowed(_ origin: String?) -> String? {
        guard let origin, HeaderText.isSafe(origin) else { return nil }
        if isForAll { return "*" }
        return origins.contains(origin) ? origin : nil
    }
}

/// What a page that may call has asked for. Only the API itself takes part, not the control plane.
struct CrossOriginRequest {
    /// The value of `access-control-allow-origin`.
    let allowedOrigin: String
    /// The header lines that a page wants to send, if it asks before (`OPTIONS`).
    let wantedHeaders: String?

    /// How long a browser may remember the answer to its question, in seconds.
    private static let memory = "600"
    /// The lines of answers that pages may read, besides those that they always may.
    private static let exposed = "x-request-id, x-gateway-deployment, x-gateway-attempts, retry-after"

    /// The header lines of an answer.
    /// - Parameter methods: The methods that the path takes, in the answer to `OPTIONS`.
    func headers(methods: String?) -> [HTTPHeader] {
        var headers = [HTTPHeader("access-control-allow-origin", allowedOrigin)]
        if allowedOrigin != "*" { headers.append(HTTPHeader("vary", "origin")) }
        guard let methods else {
            headers.append(HTTPHeader("access-control-expose-headers", Self.exposed))
            return headers
        }
        headers.append(HTTPHeader("access-control-allow-methods", methods))
        headers.append(HTTPHeader("access-control-max-age", Self.memory))
        if let wantedHeaders { headers.append(HTTPHeader("access-control-allow-headers", wantedHeaders)) }
        return headers
    }
}

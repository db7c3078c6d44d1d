// What an operator asks a running gateway: where a call would go.

import HTTPTypes
import Hummingbird
import ModelGateway

/// `POST /admin/explain`: the body and the headers are those of a call, the answer says where it would go and why.
struct AdminRoutes: Sendable {
    let gateway: Gateway
    let plane: ControlPlane
    let maxBodyBytes: Int

    /// What the paths take; nil for other paths.
    static func methods(of path: String) -> String? {
        path == "/admin/explain" ? "POST, OPTIONS" : nil
    }

    /// Adds the routes.
    func mount(on router: some RouterMethods<some RequestContext>) {
        router.post("/admin/explain") { request, context in
            try plane.admit(request, context, as: .admin)
            return try await explain(request)
        }
    }

    private func explain(_ request: Request) async throws -> Response {
        let sent = try await ControlPlane.body(of: request, limit: maxBodyBytes)
        let json = try JSONValue(parsing: sent)
        let call = WireRequest(
            try Self.endpoint(of: request, json),
            body: try named(json)?.serialized() ?? sent,
            headers: headers(of: request),
            requestID: "req_explain",
            deployment: request.headers.first("x-gateway-deployment"),
            caller: .admin
        )
        return .json(RoutingReport(try gateway.explain(call), workers: gateway.workers).json.serialized())
    }

    /// The endpoint, which a call tells by its path: that of the kind of work in `?mode=`, else what the body looks like.
    private static func endpoint(of request: Request, _ json: JSONValue) throws(GatewayError) -> Endpoint {
        if let name = request.uri.queryParameters["mode"] {
            if let endpoint = Endpoint.first(for: Mode(rawValue: String(name))) { return endpoint }
            let names = Endpoint.all.map { "'\($0.mode)'" }.joined(separator: ", ")
            throw GatewayError(.invalidRequest, "'mode' must be one of \(names).", param: "mode")
        }
        return try Endpoint(ofRequest: json)
    }

    /// The call with the name of the only model in it; nil if it names one itself.
    private func named(_ json: JSONValue) throws(GatewayError) -> JSONValue? {
        guard let members = json.object, json["model"] == nil else { return nil }
        let models = gateway.groups.map(\.model)
        guard let model = models.first, models.count == 1 else {
            let names = models.joined(separator: ", ")
            throw GatewayError(
                .invalidRequest,
                models.isEmpty ? "The gateway has no models." : "The gateway has several models; name one: \(names).",
                param: "model"
            )
        }
        return .object([JSONMember("model", .string(model))] + members)
    }

    /// The headers of the call. The session key and the tags may come under their usual names, whichever are configured,
    /// so that whoever asks need not know those.
    private func headers(of request: Request) -> [HTTPHeader] {
        let routing = gateway.routingHeaders
        var headers = request.headers.map { HTTPHeader($0.name.rawName, $0.value) }
        for (usual, configured) in [
            ("x-gateway-session", routing.sessionHeaders.first), ("x-gateway-tags", routing.tagsHeader),
        ] {
            if let configured, !HeaderText.equals(configured, usual), let value = request.headers.first(usual) {
                headers.insert(HTTPHeader(configured, value), at: 0)
            }
        }
        return headers
    }
}

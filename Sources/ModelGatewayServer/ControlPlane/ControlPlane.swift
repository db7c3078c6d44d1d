// The answers of the endpoints that are not model calls: the list of models, health, metrics.

import GatewayWire
import HTTPTypes
import Hummingbird
import ModelGateway
import NIOCore

/// The control plane's answers, free of any router.
struct ControlPlane: Sendable {
    let gateway: any ServedGateway
    let access: AccessRules
    let metrics: (@Sendable () -> [UInt8])?
    let isDraining: @Sendable () -> Bool

    /// Whether the process is up.
    func health() -> Response {
        .json { $0.member("status", "ok") }
    }

    /// Whether calls should be sent here: at least one model can be called and the server is not going down.
    func readiness() -> Response {
        if isDraining() { return .json(status: .serviceUnavailable) { $0.member("status", "draining") } }
        guard gateway.isReady else {
            return .json(status: .serviceUnavailable) { $0.member("status", "no_model_available") }
        }
        return .json { $0.member("status", "ready") }
    }

    /// All models, in OpenAI's shape, or in Anthropic's for its clients.
    func models(for request: Request, _ context: some RequestContext) throws(GatewayError) -> Response {
        // Before the key is looked at: a gateway that asks itself has none.
        try gateway.identity.check(request.headers.map { HTTPHeader($0.name.rawName, $0.value) })
        try admit(request, context, as: .client)
        let models = gateway.models
        let bytes = ModelListing.isAnthropic(request) ? ModelListing.anthropic(models) : ModelListing.openAI(models)
        var response = Response.json(bytes)
        if let name = HTTPField.Name("\(GatewayIdentity.idHeader)") { response.headers[name] = gateway.identity.id }
        return response
    }

    /// One model.
    func model(
        _ id: String,
        for request: Request,
        _ context: some RequestContext
    ) throws(GatewayError) -> Response {
        try admit(request, context, as: .client)
        guard let model = gateway.models.first(where: { $0.id == id }) else {
            throw GatewayError(.modelNotFound, "The model '\(id)' does not exist.", param: "model")
        }
        let isAnthropic = ModelListing.isAnthropic(request)
        return .json(isAnthropic ? ModelListing.anthropic(model) : ModelListing.openAI(model))
    }

    /// The metrics in Prometheus' text format. They name models and deployments, so they need a key if there are keys.
    func metrics(for request: Request, _ context: some RequestContext) throws(GatewayError) -> Response {
        try access.admitToMetrics(Credentials(request, context))
        guard let metrics else { throw GatewayError(.notFound, "This gateway does not collect metrics.") }
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: metrics()))
        )
    }

    /// Who sends the request.
    /// - Throws: Unless the sender may do what needs this kind of access. The control plane proper, which is the admins',
    ///   is not answered to a foreign web page either.
    @discardableResult
    func admit(
        _ request: Request,
        _ context: some RequestContext,
        as needed: Caller
    ) throws(GatewayError) -> Caller {
        let credentials = Credentials(request, context)
        if needed == .admin { try checkOrigin(request) }
        return try access.admit(credentials, as: needed)
    }

    /// The body of a request that says that it is JSON, which a form on a foreign web page cannot.
    static func body(of request: Request, limit: Int) async throws -> [UInt8] {
        let type = request.headers[.contentType]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/json" else {
            throw GatewayError(.unsupportedMediaType, "Send the body with 'content-type: application/json'.")
        }
        let coding = request.headers[values: .contentEncoding].lazy.compactMap(RequestBody.coding).first
        if let mistake = RequestBody.mistake(contentType: nil, coding: coding) { throw mistake }
        do {
            var request = request
            return Array(try await request.collectBody(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw GatewayError(.payloadTooLarge, "The body is larger than the limit of \(limit) bytes.")
        }
    }

    private func checkOrigin(_ request: Request) throws(GatewayError) {
        let host = request.head.authority
        guard access.hosts.trust(host) else {
            throw GatewayError(
                .permissionDenied,
                "The control plane does not answer to the host \(HeaderText.printable(host ?? "").debugDescription); "
                    + "use an address, or add the name to 'server.allowed_hosts'."
            )
        }
        let isForeign = request.headers.first("sec-fetch-site").map { HeaderText.equals($0, "cross-site") } ?? false
        guard !isForeign, access.hosts.trust(origin: request.headers.first("origin"), host: host) else {
            throw GatewayError(.permissionDenied, "The control plane does not answer to pages of other sites.")
        }
    }
}

extension Credentials {
    init(_ request: Request, _ context: some RequestContext) {
        self.init(
            authorization: request.headers[.authorization],
            apiKey: request.headers.first("x-api-key"),
            host: request.head.authority,
            isForwarded: request.headers.contains { RequestFields.isLeftByProxy($0.name.canonicalName) },
            isPeerLocal: (context as? GatewayRequestContext)?.isPeerLocal
                ?? (context as? any RemoteAddressRequestContext)?.remoteAddress?.isLocal ?? false
        )
    }
}

// MARK: - Responses

extension Response {
    /// A JSON object.
    static func json(status: HTTPResponse.Status = .ok, _ write: (inout JSONWriter) -> Void) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        write(&writer)
        writer.endObject()
        return json(status: status, writer.bytes)
    }

    /// A body that is JSON already.
    static func json(status: HTTPResponse.Status = .ok, _ bytes: [UInt8]) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    /// An error in the format's shape.
    init(_ error: GatewayError, format: any Format = StandardFormats.usual, to caller: Caller = .client) {
        self.init(
            status: HTTPResponse.Status(code: error.status),
            headers: HTTPFields(format.headers(of: error, to: caller)),
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: format.body(of: error.overHTTP)))
        )
    }
}

extension HTTPFields {
    /// Header lines of the gateway; those that cannot be written safely are left out.
    init(_ headers: [HTTPHeader]) {
        self.init()
        for header in headers {
            guard let name = HTTPField.Name(header.name), HTTPField.isValidValue(header.value) else { continue }
            append(HTTPField(name: name, value: header.value))
        }
    }

    /// The value of a field whose name is not one of the well-known ones.
    func first(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { self[$0] }
    }
}

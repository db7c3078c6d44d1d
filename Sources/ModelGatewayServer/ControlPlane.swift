// The answers of the endpoints that are not model calls: the list of models, health, metrics.

import GatewayWire
import HTTPTypes
import Hummingbird
import ModelGateway
import NIOCore

/// The control plane's answers, free of any router.
struct ControlPlane: Sendable {
    let gateway: any ServedGateway
    let keys: AccessKeys
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
    func models(for request: Request) throws(GatewayError) -> Response {
        try admit(request)
        let models = gateway.models
        let bytes = ModelListing.isAnthropic(request) ? ModelListing.anthropic(models) : ModelListing.openAI(models)
        return .json(bytes)
    }

    /// One model.
    func model(_ id: String, for request: Request) throws(GatewayError) -> Response {
        try admit(request)
        guard let model = gateway.models.first(where: { $0.id == id }) else {
            throw GatewayError(.modelNotFound, "The model '\(id)' does not exist.", param: "model")
        }
        let isAnthropic = ModelListing.isAnthropic(request)
        return .json(isAnthropic ? ModelListing.anthropic(model) : ModelListing.openAI(model))
    }

    /// The metrics in Prometheus' text format. They name models and deployments, so they need a key if there are keys.
    func metrics(for request: Request) throws(GatewayError) -> Response {
        try admit(request)
        guard let metrics else { throw GatewayError(.notFound, "This gateway collects no metrics.") }
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: metrics()))
        )
    }

    /// Throws unless the request has a key, or none is needed.
    func admit(_ request: Request) throws(GatewayError) {
        let authorization = request.headers[.authorization]
        let apiKey = request.headers.first("x-api-key")
        guard keys.admit(authorization: authorization, apiKey: apiKey) else {
            throw .badKey(isMissing: authorization == nil && apiKey == nil)
        }
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
    init(_ error: GatewayError, format: WireFormat = .openAI) {
        self.init(
            status: HTTPResponse.Status(code: error.status),
            headers: HTTPFields(format.errorHeaders(for: error)),
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: format.errorBody(for: error)))
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

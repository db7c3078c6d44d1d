// The gateway's endpoints as routes of a Hummingbird router: the server's own, or an embedding program's.

import GatewayWire
import HTTPTypes
public import Hummingbird
public import ModelGateway
import NIOCore

extension RouterMethods {
    /// Adds the endpoints of a gateway to a router of your own: `/v1/models` and the model calls.
    ///
    /// ```swift
    /// let router = Router()
    /// router.get("/") { _, _ in "hello" }
    /// router.mountGateway(gateway)
    /// ```
    ///
    /// Mount on a group to have a prefix before the paths. Middleware that was added before applies to the gateway's
    /// endpoints too. A client that goes away is noticed at the next write of its response; put a ``DataPlane`` into
    /// the server to have its call end at once, and to have calls cost less.
    /// - Parameters:
    ///   - gateway: What answers the calls.
    ///   - options: The keys and the largest body; address and times are those of your own server.
    @discardableResult
    public func mountGateway(_ gateway: Gateway, options: ServerOptions = ServerOptions()) -> Self {
        mountGateway(served: gateway, options: options)
    }

    @discardableResult
    package func mountGateway(served gateway: any ServedGateway, options: ServerOptions) -> Self {
        let plane = ControlPlane(
            gateway: gateway,
            access: AccessRules(options),
            metrics: nil,
            isDraining: { false }
        )
        let routes = GatewayRoutes(
            plane: plane,
            maxBodyBytes: options.maxBodyBytes,
            forwardedHeaders: options.forwardedHeaders
        )
        routes.mountModels(on: self)
        routes.mountModelCalls(on: self)
        return self
    }
}

/// The routes of a gateway, apart from where they are mounted.
struct GatewayRoutes: Sendable {
    let plane: ControlPlane
    let maxBodyBytes: Int
    /// Further request headers that the gateway gets to see, in lower case.
    var forwardedHeaders: [String] = []

    /// The paths that are read with `GET`.
    static let readPaths = ["/health", "/readiness", "/liveness", "/metrics", "/v1/models"]

    /// Adds the routes that are not model calls.
    func mountControlPlane(on router: some RouterMethods<some RequestContext>) {
        Self.mountHealth(of: plane, on: router)
        router.get("/metrics") { request, context in
            Self.answer { () throws(GatewayError) in try plane.metrics(for: request, context) }
        }
        mountModels(on: router)
    }

    /// Adds what load balancers ask.
    static func mountHealth(of plane: ControlPlane, on router: some RouterMethods<some RequestContext>) {
        router.get("/health") { _, _ in plane.health() }
        router.get("/liveness") { _, _ in plane.health() }
        router.get("/readiness") { _, _ in plane.readiness() }
    }

    /// Adds the list of models.
    func mountModels(on router: some RouterMethods<some RequestContext>) {
        router.get("/v1/models") { request, context in
            Self.answer { () throws(GatewayError) in try plane.models(for: request, context) }
        }
        router.get("/v1/models/**") { request, context in
            let id = context.parameters.getCatchAll().joined(separator: "/")
            return Self.answer { () throws(GatewayError) in
                try plane.model(PercentEncoding.decode(id), for: request, context)
            }
        }
    }

    /// Adds the model calls.
    func mountModelCalls(on router: some RouterMethods<some RequestContext>) {
        for endpoint in Endpoint.all {
            for method in [HTTPRequest.Method.get, .put, .patch, .delete, .options] {
                router.on(RouterPath(endpoint.path), method: method) { request, _ in Self.refused(request, endpoint) }
            }
            router.post(RouterPath(endpoint.path)) { request, context in
                var caller = Caller.client
                do throws(GatewayError) {
                    caller = try plane.admit(request, context, as: .client)
                    return try await call(endpoint, request, by: caller)
                } catch {
                    var response = Response(error, format: StandardFormats.format(of: endpoint), to: caller)
                    if error.code == .unsupportedMediaType, request.headers[.contentEncoding] != nil {
                        response.headers[.acceptEncoding] = "identity"
                    }
                    return response
                }
            }
        }
    }

    private static func refused(_ request: Request, _ endpoint: Endpoint) -> Response {
        if request.method == .options { return Response(status: .noContent, headers: [.allow: "POST, OPTIONS"]) }
        let error = GatewayError(.methodNotAllowed, "This endpoint accepts POST only, not \(request.method.rawValue).")
        var response = Response(error, format: StandardFormats.format(of: endpoint))
        response.headers[.allow] = "POST, OPTIONS"
        return response
    }

    private static func answer(_ make: () throws(GatewayError) -> Response) -> Response {
        do throws(GatewayError) {
            return try make()
        } catch {
            return Response(error)
        }
    }

    /// Makes a model call for a request that came through the router.
    private func call(
        _ endpoint: Endpoint,
        _ request: Request,
        by caller: Caller
    ) async throws(GatewayError) -> Response {
        let deployment = request.headers.first("x-gateway-deployment")
        if deployment != nil, caller != .admin { throw .deploymentIsForAdmins }
        let coding = request.headers[values: .contentEncoding].lazy.compactMap(RequestBody.coding).first
        let type = request.headers[.contentType]
        if let mistake = RequestBody.mistake(contentType: type, coding: coding) { throw mistake }
        let body: ByteBuffer
        do {
            var request = request
            body = try await request.collectBody(upTo: maxBodyBytes)
        } catch is NIOTooManyBytesError {
            throw GatewayError(.payloadTooLarge, "The request body is larger than the limit of \(maxBodyBytes) bytes.")
        } catch {
            throw GatewayError(.invalidRequest, "The request body could not be read.")
        }
        let sentID = request.headers.first("x-request-id")
        let requestID = sentID.flatMap { HeaderText.isRequestID($0) ? $0 : nil } ?? RandomID.make(prefix: "req_")
        let headers = request.headers.compactMap { field in
            RequestFields.isForwarded(field.name.rawName) || forwardedHeaders.contains(field.name.canonicalName)
                ? HTTPHeader(field.name.rawName, field.value) : nil
        }
        let wireRequest = WireRequest(
            endpoint,
            body: Array(body.readableBytesView),
            headers: headers,
            requestID: requestID,
            deployment: deployment,
            caller: caller
        )
        var answer = try await plane.gateway.relay(wireRequest)
        answer.headers.append(HTTPHeader("x-request-id", requestID))
        return Response(answer)
    }
}

extension Response {
    /// The answer of a model call.
    init(_ answer: WireResponse) {
        let body: ResponseBody
        switch answer.body {
        case .bytes(let bytes):
            body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .stream(let stream):
            body = ResponseBody { writer in
                do {
                    while let bytes = try await stream.next() {
                        try await writer.write(ByteBuffer(bytes: bytes))
                    }
                } catch {
                    stream.cancel()
                    throw error
                }
                try await writer.finish(nil)
            }
        }
        self.init(
            status: HTTPResponse.Status(code: answer.status),
            headers: HTTPFields(answer.headers),
            body: body
        )
    }
}

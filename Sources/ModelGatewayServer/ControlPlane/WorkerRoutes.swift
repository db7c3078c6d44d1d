// Workers at run time: the routes that list, add, change and remove them.

import GatewayWire
import HTTPTypes
import Hummingbird
import ModelGateway

/// `GET /workers`, `POST /workers`, and `GET`, `PATCH` and `DELETE /workers/{id}`.
///
/// They are for operators: who may call them decides where prompts are sent, and makes the gateway open connections to
/// any address. So they are for admins, and bodies must say that they are JSON, which a form on a foreign web page cannot.
struct WorkerRoutes: Sendable {
    let gateway: Gateway
    let plane: ControlPlane

    private static let largestBody = 64 << 10

    /// What the paths of workers take; nil for other paths.
    static func methods(of path: String) -> String? {
        if path == "/workers" { return "GET, HEAD, POST, OPTIONS" }
        return path.hasPrefix("/workers/") ? "GET, HEAD, PATCH, DELETE, OPTIONS" : nil
    }

    /// Adds the routes.
    func mount(on router: some RouterMethods<some RequestContext>) {
        router.get("/workers") { request, context in
            try plane.admit(request, context, as: .admin)
            return Response.json(WorkerJSON.list(gateway.workers))
        }
        router.post("/workers") { request, context in
            try plane.admit(request, context, as: .admin)
            let worker = try await add(request)
            var response = Response.json(status: .accepted, WorkerJSON.object(worker))
            response.headers[.location] = "/workers/\(worker.id)"
            return response
        }
        router.get("/workers/**") { request, context in
            try plane.admit(request, context, as: .admin)
            return Response.json(WorkerJSON.object(try gateway.worker(Self.id(context))))
        }
        router.patch("/workers/**") { request, context in
            try plane.admit(request, context, as: .admin)
            let change = try WorkerJSON.change(try await Self.json(of: request))
            return Response.json(WorkerJSON.object(try gateway.updateWorker(Self.id(context), change)))
        }
        router.delete("/workers/**") { request, context in
            try plane.admit(request, context, as: .admin)
            let limit = try Self.drainLimit(request)
            let worker = try gateway.removeWorker(Self.id(context), drain: limit)
            let isGone = (try? gateway.worker(worker.id)) == nil
            return Response.json(status: isGone ? .ok : .accepted, WorkerJSON.object(worker))
        }
    }

    private func add(_ request: Request) async throws -> Worker {
        let wanted = try WorkerJSON.addition(try await Self.json(of: request))
        let worker = try gateway.addWorker(
            url: wanted.url,
            apiKey: wanted.settings.apiKey,
            weight: wanted.settings.weight ?? 1,
            priority: wanted.settings.priority ?? 0,
            labels: wanted.settings.labels ?? [:],
            tags: wanted.settings.tags ?? []
        )
        guard await !gateway.registry.isOurselves(at: wanted.url) else {
            _ = try? gateway.removeWorker(worker.id, drain: .zero)
            throw GatewayError(
                .conflict,
                "The worker is this gateway itself; calls would go round in circles.",
                param: "url"
            )
        }
        return worker
    }

    private static func id(_ context: some RequestContext) -> String {
        PercentEncoding.decode(context.parameters.getCatchAll().joined(separator: "/"))
    }

    /// `?drain=SECONDS`: how long calls under way may hold the worker, 0 removes it at once; nil for the configured time.
    private static func drainLimit(_ request: Request) throws(GatewayError) -> Duration? {
        guard let text = request.uri.queryParameters["drain"] else { return nil }
        guard let seconds = Double(text), (0...86_400).contains(seconds) else {
            throw GatewayError(.invalidRequest, "'drain' must be a number of seconds, 0 to 86400.", param: "drain")
        }
        return .seconds(seconds)
    }

    private static func json(of request: Request) async throws -> JSONValue {
        try JSONValue(parsing: try await ControlPlane.body(of: request, limit: largestBody))
    }
}

// What the server answers to paths and methods that it does not have.

import GatewayWire
import Hummingbird
import Logging
import ModelGateway

/// Turns the router's own errors into the shape that clients of the API can read.
struct UnknownPathMiddleware<Context: RequestContext>: RouterMiddleware {
    @concurrent func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return unknown(request)
        } catch let error as HTTPError {
            let message = error.body ?? "The request was refused."
            return Response(GatewayError(.invalidRequest, message))
        } catch let error as GatewayError {
            return Response(error)
        } catch {
            context.logger.error("A route failed.", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
            return Response(GatewayError(.internalError, "The gateway failed to answer; its log says why."))
        }
    }

    private func unknown(_ request: Request) -> Response {
        let path = RequestTarget.plainPath(of: request.uri.path)
        if path == "/" { return root(request) }
        if let allowed = WorkerRoutes.methods(of: path) ?? AdminRoutes.methods(of: path) {
            return refused(request, allowed: allowed)
        }
        guard GatewayRoutes.readPaths.contains(path) || path.hasPrefix("/v1/models/") else {
            return Response(GatewayError(.notFound, "There is no \(request.method.rawValue) \(path) here."))
        }
        return refused(request, allowed: "GET, HEAD, OPTIONS")
    }

    /// What somebody gets who only looks whether a server is there. A program may have a route of its own for it.
    private func root(_ request: Request) -> Response {
        guard request.method == .get || request.method == .head else {
            return refused(request, allowed: "GET, HEAD, OPTIONS")
        }
        return .json {
            $0.member("name", "ModelGateway")
            $0.member("status", "ok")
        }
    }

    private func refused(_ request: Request, allowed: String) -> Response {
        if request.method == .options { return Response(status: .noContent, headers: [.allow: allowed]) }
        let error = GatewayError(
            .methodNotAllowed,
            "\(request.uri.path) accepts \(allowed), not \(request.method.rawValue)."
        )
        var response = Response(error)
        response.headers[.allow] = allowed
        return response
    }
}

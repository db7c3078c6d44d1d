// A gateway that runs already, asked over HTTP what only it can know.

import ModelGateway

/// Asks the control plane of a gateway.
struct RunningGateway {
    private let url: String
    private let headers: [HTTPHeader]
    private let transport: CurlTransport

    /// - Parameters:
    ///   - url: Where it listens, with or without `/v1`.
    ///   - key: An admin's key; nil for a gateway on this machine that has none.
    init(url: String, key: Secret?) throws(GatewayError) {
        self.url = try BaseURL(url).server
        var headers = [HTTPHeader("content-type", "application/json")]
        if let key, !key.isEmpty { headers.append(HTTPHeader("authorization", "Bearer \(key.reveal())")) }
        self.headers = headers
        transport = try CurlTransport()
    }

    /// Where a call would go.
    /// - Parameters:
    ///   - body: The call as a client would send it; it need not name a model if there is only one.
    ///   - headers: What a client would send besides it.
    func explain(_ body: [UInt8], headers: [HTTPHeader]) async throws -> RoutingReport {
        let json = try await post("/admin/explain", body, headers: headers)
        guard let report = RoutingReport(json: json) else {
            throw CommandFailure(.unavailable, "the answer from \(url) is not an explanation; is it a gateway?")
        }
        return report
    }

    private func post(_ path: String, _ body: [UInt8], headers further: [HTTPHeader]) async throws -> JSONValue {
        let request = HTTPTransportRequest(
            method: "POST",
            url: url + path,
            headers: headers + further,
            body: .bytes(body),
            timeouts: Timeouts(total: .seconds(30))
        )
        let response: HTTPTransportResponse
        let answer: [UInt8]
        do throws(GatewayError) {
            response = try await transport.send(request)
            answer = try await response.wholeBody(limit: 64 << 20)
        } catch {
            if error.code == .cancelled { throw error }
            throw CommandFailure(.unavailable, "no gateway answers at \(url): \(error.message)")
        }
        let json = try? JSONValue(parsing: answer)
        guard response.status == 200, let json else {
            let message = json?["error"]?["message"]?.string ?? "HTTP \(response.status)"
            let status = Self.status(response.status)
            let advice = status == .notPermitted ? " (pass an admin's key with --admin-key or GATEWAY_ADMIN_KEY)" : ""
            throw CommandFailure(status, "the gateway at \(url) says: \(message)\(advice)")
        }
        return json
    }

    private static func status(_ status: Int) -> ExitStatus {
        switch status {
        case 401, 403: .notPermitted
        case 404, 405, 500...: .unavailable
        default: .badData
        }
    }
}

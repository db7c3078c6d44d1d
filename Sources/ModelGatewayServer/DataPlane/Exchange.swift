// One request and its response on a connection, as the data plane follows them.

import ModelGateway
import NIOCore
import NIOHTTP1

/// A request that is being read, answered or passed on. Lives on its connection's event loop.
final class Exchange {
    let method: HTTPMethod
    let target: String
    let requestID: String
    /// Whether the client speaks HTTP/1.1: a connection may be used again, and a body can be framed as chunks.
    let isModern: Bool
    let start = NIODeadline.now()

    // The request
    var endpoint: Endpoint?
    /// Header lines that go on with the call.
    var forwarded: [HTTPHeader] = []
    var isBodyEncoded = false
    var caller = Caller.client
    var sender = RequestSender()
    /// The client of a proxy, while the request counts among those of its address.
    var countedAddress: ClientAddress?
    var body: [UInt8] = []
    var discardedBytes = 0
    /// What to answer once the body has been read, instead of making a call.
    var refusal: GatewayError?
    /// The web page that asks, if one does that may.
    var crossOrigin: CrossOriginRequest?

    // The call
    var call: ModelCall?
    var task: Task<Void, Never>?

    // The response
    var status = 0
    var responseBytes = 0
    var firstByte: NIODeadline?

    init(_ head: HTTPRequestHead, requestID: String) {
        method = head.method
        target = head.uri
        self.requestID = requestID
        isModern = head.version != .http1_0 && head.version.major == 1
    }

    /// The format that the answer is in.
    var format: any Format { endpoint.map(StandardFormats.format(of:)) ?? StandardFormats.usual }

    /// Whether the request asks for a stream. Read only when it matters.
    lazy var asksForStream: Bool = endpoint.map { format.asksForStream(call?.request.body ?? body, at: $0) } ?? false

    func record(_ outcome: RequestRecord.Outcome) -> RequestRecord {
        RequestRecord(
            requestID: requestID,
            method: method.rawValue,
            path: endpoint?.path ?? RequestTarget.plainPath(of: target),
            status: status == 0 ? 499 : status,
            requestBytes: body.count + discardedBytes,
            responseBytes: responseBytes,
            duration: Duration(NIODeadline.now() - start),
            timeToFirstByte: firstByte.map { Duration($0 - start) },
            outcome: outcome,
            sender: sender
        )
    }
}

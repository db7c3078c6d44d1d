// One request and its response on a connection, as the data plane follows them.

import GatewayWire
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
    var endpoint: ModelEndpoint?
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
    var format: WireFormat { endpoint?.format ?? .openAI }

    /// Whether the request asks for a stream: its top-level `stream` is true. Read only when it matters.
    lazy var asksForStream: Bool = StreamFlag.isSet(in: call?.request.body ?? body)

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

/// The `stream` member of a request body.
enum StreamFlag {
    /// Whether the top-level member `stream` is true. False for a body that is not JSON.
    static func isSet(in body: [UInt8]) -> Bool {
        body.withBytes { bytes in
            var scanner = JSONScanner(bytes)
            var isSet = false
            do throws(JSONError) {
                try scanner.beginObject()
                while let key = try scanner.nextMember() {
                    let value = try scanner.nextValue()
                    if key.equals("stream", in: bytes) { isSet = value.bool ?? false }
                }
                return isSet
            } catch {
                return false
            }
        }
    }
}

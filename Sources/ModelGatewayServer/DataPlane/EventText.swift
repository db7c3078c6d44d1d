// The few server-sent events that the server itself writes into a stream.

import GatewayWire
import ModelGateway

/// Pieces of `text/event-stream` bodies (WHATWG HTML §9.2).
enum EventText {
    /// A body as one event, each of its lines as a `data` line.
    static func event(of body: [UInt8]) -> [UInt8] {
        var event: [UInt8] = []
        event.reserveCapacity(body.count + 16)
        for line in body.split(omittingEmptySubsequences: true, whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            event.append(contentsOf: "data: ".utf8)
            event.append(contentsOf: line)
            event.append(0x0A)
        }
        event.append(0x0A)
        return event
    }

    /// Whether a JSON body tells of an error: it has a top-level member `error` that is not null.
    static func isError(_ body: [UInt8]) -> Bool {
        guard let document = try? JSONDocument(body), let error = document["error"] else { return false }
        return error.kind != .null
    }

    /// Whether bytes end with the empty line that ends an event.
    static func endsEvent(_ bytes: [UInt8]) -> Bool {
        let count = bytes.count
        guard count >= 2 else { return false }
        switch (bytes[count - 2], bytes[count - 1]) {
        case (0x0A, 0x0A), (0x0D, 0x0D): return true
        case (0x0D, 0x0A): return count >= 4 && bytes[count - 4] == 0x0D && bytes[count - 3] == 0x0A
        default: return false
        }
    }
}

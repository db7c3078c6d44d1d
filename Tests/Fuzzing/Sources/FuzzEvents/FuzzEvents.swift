// Any bytes as a stream of server-sent events: in whatever pieces they arrive, the events are the same.

import GatewayWire

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEvents(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzEvents.check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

private enum FuzzEvents {
    /// An event without its bytes as they came: which of the two that end a line by CR LF is the event's last depends on
    /// where the pieces end.
    private struct Event: Equatable {
        var name: [UInt8]
        var data: [UInt8]?
        var id: [UInt8]?
        var retry: Int?
        var comment: [UInt8]?
    }

    /// - Parameter input: The size of the pieces in which the rest arrives, and the rest.
    static func check(_ input: [UInt8]) {
        guard let size = input.first else { return }
        let bytes = Array(input.dropFirst())
        let pieces = stride(from: 0, to: bytes.count, by: Int(size) + 1).map {
            Array(bytes[$0..<min($0 + Int(size) + 1, bytes.count)])
        }
        precondition(read(pieces) == read([bytes]), "pieces are read otherwise than the whole")
    }

    private static func read(_ pieces: [[UInt8]]) -> [Event] {
        var parser = SSEParser(maxEventSize: 1 << 20, reportsBlocksWithoutData: true)
        var events: [Event] = []
        for piece in pieces {
            try? parser.feed(piece) { event in
                events.append(
                    Event(
                        name: Array(event.name),
                        data: event.data.map { Array($0) },
                        id: event.id.map { Array($0) },
                        retry: event.retry,
                        comment: event.comment.map { Array($0) }
                    )
                )
            }
        }
        return events
    }
}

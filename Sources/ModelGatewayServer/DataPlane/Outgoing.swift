// What goes out for an answer at one time, in the terms of either version of HTTP.

import NIOCore
import NIOHPACK

/// A head, a part of a body, the end of it, or several of them, which leave in one flush.
///
/// HTTP/1 is bytes through and through, framing included. In HTTP/2 a head and the end of a body are marks of frames, and
/// only the body is bytes.
struct Outgoing {
    let isHTTP2: Bool
    var bytes: ByteBuffer
    /// The head, in HTTP/2.
    private(set) var fields: HPACKHeaders?
    /// Whether the answer is over with it.
    var isEnd = false

    private static let allocator = ByteBufferAllocator()

    init(isHTTP2: Bool, capacity: Int) {
        self.isHTTP2 = isHTTP2
        bytes = Self.allocator.buffer(capacity: capacity)
    }

    /// Whether a client sees anything of it.
    var isVisible: Bool { bytes.readableBytes > 0 || fields != nil || isHTTP2 && isEnd }

    mutating func write(_ head: ResponseHead, date: DateHeader) {
        if isHTTP2 {
            fields = head.fields(date: date)
        } else {
            head.write(to: &bytes, date: date)
        }
    }
}

// One client connection of the mock engine: its socket, unread requests, unsent bytes and running stream.

internal import Loopback

final class Connection {
    let socket: Socket
    let slot: Int
    /// The engine that it belongs to.
    let listener: Int
    let received = ByteQueue(capacity: 16_384)
    let unsent = ByteQueue(capacity: 1_024)
    var stream: RunningStream?
    /// Whether the poller watches for room to write.
    var watchesWrites = false

    init(socket: Socket, slot: Int, listener: Int) {
        self.socket = socket
        self.slot = slot
        self.listener = listener
    }

    /// Sends now what fits and keeps the rest; false when the connection is gone.
    func send(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return true }
            var sent = 0
            if unsent.count == 0 {
                switch socket.write(base, count: buffer.count) {
                case .bytes(let count): sent = count
                case .wouldBlock: break
                case .closed: return false
                }
            }
            if sent < buffer.count { unsent.append(base + sent, count: buffer.count - sent) }
            return true
        }
    }
}

/// A stream in the middle of its events.
struct RunningStream {
    let id: Int
    let shape: StreamShape
    let usage: Bool
    var sequence = 0
    var deadline: UInt64
}

// A growable run of bytes: written at the end, consumed at the front.

internal import CLoopback

/// Bytes read and not yet parsed, or to be written and not yet taken by the socket.
package final class ByteQueue {
    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var end = 0

    package init(capacity: Int) {
        self.capacity = capacity
        storage = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { storage.deallocate() }

    package var count: Int { end - start }

    /// The bytes present; valid until the queue is changed.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage + start, count: end - start) }

    package func removeAll() {
        start = 0
        end = 0
    }

    package func consume(_ count: Int) {
        start += count
        if start == end { removeAll() }
    }

    package func append(_ bytes: UnsafeRawPointer, count: Int) {
        reserve(count)
        (storage + end).copyMemory(from: bytes, byteCount: count)
        end += count
    }

    /// Reads once from the socket; `atLeast` is the free room made for it.
    package func fill(from socket: Socket, atLeast: Int = 16_384) -> Transferred {
        reserve(atLeast)
        let result = socket.read(into: storage + end, count: capacity - end)
        if case .bytes(let count) = result { end += count }
        return result
    }

    /// Writes once what it can, and drops it from the queue.
    package func drain(into socket: Socket) -> Transferred {
        let result = socket.write(storage + start, count: count)
        if case .bytes(let written) = result { consume(written) }
        return result
    }

    private func reserve(_ room: Int) {
        if capacity - end >= room { return }
        let present = count
        if capacity - present >= room {
            memmove(storage, storage + start, present)
        } else {
            let larger = max(capacity * 2, present + room)
            let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            moved.copyMemory(from: storage + start, byteCount: present)
            storage.deallocate()
            storage = moved
            capacity = larger
        }
        start = 0
        end = present
    }
}

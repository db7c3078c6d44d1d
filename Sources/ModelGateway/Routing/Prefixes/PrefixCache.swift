// The record that `cache_aware` keeps of which deployment has read which prompts, under its own lock.

import GatewayWire
import Synchronization

/// Shared by the group's policy and its leases: asked before a selection, and told its result and when an upstream did
/// not accept the prompt.
final class PrefixCache: Sendable {
    private struct Books: Sendable {
        var tree: PrefixTree?
        var placements: PrefixPlacements?
    }

    private let books: Lock<Books>

    /// A radix tree.
    init(_ tree: PrefixTree) {
        books = Lock(Books(tree: tree))
    }

    /// A hash index.
    init(_ placements: PrefixPlacements) {
        books = Lock(Books(placements: placements))
    }

    /// Which deployments have read the beginning of a text.
    func match(_ text: [UInt8], salt: Int, now: MonotonicInstant) -> PrefixMatch {
        books.withLock { books in
            if let placements = books.placements { return placements.match(text, now: now) }
            return text.withUnsafeBytes { bytes in
                let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(RoutingInput.textLimit))
                return books.tree?.match(bytes, salt: salt) ?? PrefixMatch(length: bytes.count)
            }
        }
    }

    /// Notes that a deployment is given a text to read.
    /// - Returns: The bytes that it is now believed to hold, and how many of this text it had already read.
    func insert(_ text: [UInt8], slot: Int, number: UInt64, now: MonotonicInstant) -> (held: Int, known: Int) {
        books.withLock { books in
            if let known = books.placements?.insert(text, slot: slot, number: number, now: now) { return (0, known) }
            let known = text.withUnsafeBytes { bytes in
                let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(RoutingInput.textLimit))
                return books.tree?.insert(bytes, slot: slot, number: number)
            }
            return (books.tree?.held(by: slot) ?? 0, known ?? 0)
        }
    }

    /// Undoes an insertion, because the deployment has not read the text after all.
    /// - Returns: The bytes that it is now believed to hold.
    func retract(_ text: [UInt8], slot: Int, number: UInt64, known: Int) -> Int {
        books.withLock { books in
            books.placements?.retract(text, slot: slot, number: number, known: known)
            text.withUnsafeBytes { bytes in
                let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(RoutingInput.textLimit))
                books.tree?.retract(bytes, slot: slot, number: number, known: known)
            }
            return books.tree?.held(by: slot) ?? 0
        }
    }

    /// Notes that a deployment has put text that it generated into its cache.
    func fill(_ slot: Int, number: UInt64, bytes: Int) {
        books.withLock { $0.tree?.fill(slot, number: number, bytes: bytes) }
    }

    /// Makes room for a deployment.
    /// - Parameter capacity: How many bytes its cache holds, if known.
    func admit(_ slot: Int, number: UInt64, capacity: Int?) {
        books.withLock { books in
            books.tree?.admit(slot, number: number, capacity: capacity)
            books.placements?.admit(slot, number: number)
        }
    }

    /// Forgets what the deployment in a slot holds. It takes the lock for a part of the tree at a time.
    func forget(_ slot: Int) {
        books.withLock { $0.placements?.forget(slot) }
        var next: Int? = 0
        while let start = next {
            next = books.withLock { $0.tree?.forget(slot, from: start) ?? nil }
        }
    }

    /// Bytes of memory in use.
    var bytes: Int {
        books.withLock { ($0.tree?.bytes ?? 0) + ($0.placements?.bytes ?? 0) }
    }
}

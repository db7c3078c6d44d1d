// The lock: one thread at a time, and what the body returns or throws.

import GatewayWire
import Synchronization
import Testing

struct LockTests {
    struct Refused: Error, Equatable {
        let number: Int
    }

    @Test func `No change is lost when many tasks count at once`() async {
        final class Counter: Sendable {
            let count = Lock(0)
        }
        let counter = Counter()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 { counter.count.withLock { $0 += 1 } }
                }
            }
        }
        #expect(counter.count.withLock { $0 } == 8_000)
    }

    @Test func `An error of the body passes through, and the lock is free again`() {
        let lock = Lock([1])
        #expect(throws: Refused(number: 7)) {
            try lock.withLock { values throws(Refused) in
                values.append(2)
                throw Refused(number: 7)
            }
        }
        #expect(lock.withLock { $0 } == [1, 2])
    }

    @Test func `The state goes when the lock does`() {
        final class Guarded: Sendable {}
        weak var guarded: Guarded?
        do {
            let new = Guarded()
            guarded = new
            let lock = Lock<Guarded?>(new)
            #expect(lock.withLock { $0 != nil })
        }
        #expect(guarded == nil)
    }
}

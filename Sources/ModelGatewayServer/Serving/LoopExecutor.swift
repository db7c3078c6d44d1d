// Tasks on an event loop: what is read there, decided and written runs without a change of thread.

import GatewayWire
import NIOCore
import Synchronization

/// Runs the jobs of tasks on an event loop, in the order in which they come.
final class LoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop
    private let ready = Lock<[UnownedJob]>([])

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFirst = ready.withLock { ready in
            ready.append(job)
            return ready.count == 1
        }
        if isFirst { eventLoop.execute { self.runReady() } }
    }

    private func runReady() {
        let jobs = ready.withLock { ready in
            let jobs = ready
            ready.removeAll(keepingCapacity: false)
            return jobs
        }
        let executor = asUnownedTaskExecutor()
        for job in jobs { job.runSynchronously(on: executor) }
    }
}

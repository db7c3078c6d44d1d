// The thread that computes all answers of one model: continuous batching over the sequences of one context.

#if LlamaCpp

import GatewaySystem
import CLlama
import Logging
import ModelGateway
import Synchronization

/// How tasks reach the decode thread.
///
/// In each step every running answer gets one token, and prompts that are still being read get a share of the batch, so
/// new calls join without holding the running ones up. Steps follow one another as long as there is work; then the
/// thread sleeps.
final class DecodeQueue: Sendable {
    struct Inbox {
        var waiting: [GenerationRequest] = []
        /// Something was cancelled: look through what is running and waiting.
        var hasCancellations = false
        var isClosed = false
        /// Whether the thread has ended and let go of the context.
        var hasEnded = false
    }

    let inbox = Monitor(Inbox())
    private let queueLimit: Int

    init(queueLimit: Int) {
        self.queueLimit = queueLimit
    }

    /// Puts the requests of one call in line, all or none.
    func submit(_ requests: [GenerationRequest]) throws(GatewayError) {
        let refusal = inbox.change { inbox -> GatewayError? in
            if inbox.isClosed { return Self.closed }
            guard inbox.waiting.count + requests.count <= max(queueLimit, requests.count) else {
                return GatewayError(
                    .unavailable,
                    "The local model is busy: \(inbox.waiting.count) calls are waiting. Try again later.",
                    retryAfter: .seconds(1)
                )
            }
            inbox.waiting.append(contentsOf: requests)
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Makes the thread look for cancelled calls at its next step.
    func noteCancellation() {
        inbox.change { $0.hasCancellations = true }
    }

    /// Ends the thread after its present step; what runs or waits fails.
    func close() {
        inbox.change { $0.isClosed = true }
    }

    /// Waits until the thread has let go of the context. Blocks: not for cooperative threads.
    func waitForEnd() {
        inbox.wait { $0.hasEnded ? () : nil }
    }

    static let closed = GatewayError(.shuttingDown, "The local model is being unloaded.")
}

/// What the decode thread does. Everything in it belongs to that thread.
final class DecodeLoop {
    private let queue: DecodeQueue
    private let model: LlamaModel
    private let context: LlamaContext
    private let shape: ContextShape
    private let statistics: DecodeStatistics
    private let batch: TokenBatch
    private var slots: SequenceSlots
    private var promptShare: PromptShare
    /// Generations that gave way and come before those in the queue.
    private var preempted: [Generation] = []
    /// While one had to give way: how many ran on. Nothing is admitted before one of them has ended, or the one that gave
    /// way would come back at once and fill the cache again, and no step would ever be computed.
    private var runningWhenFull: Int?

    init?(queue: DecodeQueue, context: LlamaContext, shape: ContextShape, statistics: DecodeStatistics) {
        guard let memory = context.memory else { return nil }
        self.queue = queue
        self.context = context
        self.shape = shape
        self.statistics = statistics
        model = context.model
        batch = TokenBatch(capacity: context.batchCapacity)
        slots = SequenceSlots(count: shape.sequences, memory: memory, keepsPrefixes: model.keepsPrefixes)
        promptShare = PromptShare(capacity: batch.capacity)
    }

    /// Computes until the queue is closed.
    func run() {
        while takeWork() {
            step()
            statistics.running.store(slots.runningCount, ordering: .relaxed)
        }
        failAll(DecodeQueue.closed)
    }

    // MARK: Work in and out

    /// Takes what came in, and sleeps if there is nothing to do.
    /// - Returns: False when it is time to end.
    private func takeWork() -> Bool {
        let idle = slots.isIdle && preempted.isEmpty
        let statistics = statistics
        let (open, hadCancellations) = queue.inbox.wait { inbox -> (Bool, Bool)? in
            if inbox.isClosed { return (false, false) }
            if idle, inbox.waiting.isEmpty, !inbox.hasCancellations { return nil }
            defer { inbox.hasCancellations = false }
            if inbox.hasCancellations { inbox.waiting.removeAll { $0.answer.isAbandoned } }
            statistics.queued.store(inbox.waiting.count, ordering: .relaxed)
            return (true, inbox.hasCancellations)
        }
        guard open else { return false }
        if hadCancellations { dropAbandoned() }
        dropOverdue()
        admit()
        // Told before the step that hands out their text: who has read of it finds the call counted.
        statistics.running.store(slots.runningCount, ordering: .relaxed)
        return true
    }

    private func dropAbandoned() {
        for index in slots.indices where slots[index].generation?.request.answer.isAbandoned == true {
            slots.release(index)
        }
        preempted.removeAll { $0.request.answer.isAbandoned }
    }

    /// Ends calls whose time is over, running or waiting.
    private func dropOverdue() {
        let now = MonotonicInstant.now
        func isOverdue(_ request: GenerationRequest, hasBegun: Bool) -> Bool {
            now >= request.deadline || !hasBegun && now >= request.queueDeadline
        }
        for index in slots.indices {
            guard let generation = slots[index].generation,
                isOverdue(generation.request, hasBegun: true)
            else { continue }
            slots.release(index)
            generation.request.answer.fail(Self.overdue)
        }
        let late = queue.inbox.withLock { inbox -> [GenerationRequest] in
            guard inbox.waiting.contains(where: { isOverdue($0, hasBegun: false) }) else { return [] }
            defer { inbox.waiting.removeAll { isOverdue($0, hasBegun: false) } }
            return inbox.waiting.filter { isOverdue($0, hasBegun: false) }
        }
        for request in late { request.answer.fail(Self.overdue) }
    }

    private static let overdue = GatewayError(
        .timedOut,
        "The local model did not answer in the time that the call allows."
    )

    private func admit() {
        if let running = runningWhenFull {
            guard slots.runningCount < running else { return }
            runningWhenFull = nil
        }
        while slots.hasFree {
            let generation: Generation
            if !preempted.isEmpty {
                generation = preempted.removeFirst()
            } else {
                let next = queue.inbox.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
                guard let next else { return }
                if next.answer.isAbandoned { continue }
                generation = Generation(next, vocabularySize: model.vocabularySize)
            }
            // Computing the same tokens in other portions can change the last bits of a result. Where calls cannot disturb
            // each other, a seed gives the same text as well.
            let mustRepeat =
                shape.isRepeatable || (shape.sequences == 1 && generation.request.sampling.baseSeed != nil)
            slots.admit(generation, reuse: !mustRepeat)
        }
    }

    // MARK: Steps

    private func step() {
        let answers = fillBatch()
        guard batch.count > 0 else { return }
        let (status, duration) = context.compute(batch)
        switch status {
        case 0:
            promptShare.note(duration, promptTokens: batch.count - answers, answers: answers)
            finishStep()
        case 1:
            // No room for the batch in the cache; nothing of it was computed.
            for index in slots.indices { slots[index].generation?.leaveStep() }
            let (madeRoom, preempted) = slots.makeRoom()
            if let preempted {
                self.preempted.insert(preempted, at: 0)
                runningWhenFull = slots.runningCount
            }
            if !madeRoom { endLongest() }
        case let status:
            failAll(GatewayError(.internalError, "llama.cpp failed to compute a step (status \(status))."))
            slots.clear()
        }
    }

    /// Answers in progress first, one token each, then as much of the prompts as fits.
    /// - Returns: The number of answers in progress.
    private func fillBatch() -> Int {
        batch.clear()
        var ready: [Int] = []
        for index in slots.indices where slots[index].generation != nil && !slots.isFollowing(index) {
            ready.append(index)
        }
        for index in ready where remaining(index) == 1 { add(index, count: 1) }
        let answers = batch.count
        var share = answers == 0 ? batch.capacity : min(batch.capacity - answers, promptShare.tokens)
        let prompts = ready.filter { remaining($0) > 1 }
        for index in prompts.sorted(by: { slots[$0].lastTaken < slots[$1].lastTaken }) where share > 0 {
            let count = min(share, remaining(index))
            add(index, count: count)
            share -= count
        }
        return answers
    }

    private func remaining(_ index: Int) -> Int {
        (slots[index].generation?.tokens.count ?? 0) - slots[index].tokens.count
    }

    /// Adds the next tokens of a sequence; the last of all gets an output.
    private func add(_ index: Int, count: Int) {
        guard let generation = slots[index].generation else { return }
        let start = slots[index].tokens.count
        for position in start..<start + count {
            let isLast = position == generation.tokens.count - 1
            let output = batch.add(
                generation.tokens[position],
                position: position,
                sequence: slots[index].sequence,
                wantsOutput: isLast
            )
            if isLast { generation.output = output }
        }
        generation.added = count
    }

    /// Notes what is computed now, chooses the next tokens and hands out the text.
    private func finishStep() {
        var promptTokens = 0
        var generatedTokens = 0
        for index in slots.indices {
            guard let generation = slots[index].generation, generation.added > 0 else { continue }
            let start = slots[index].tokens.count
            slots[index].tokens.append(contentsOf: generation.tokens[start..<start + generation.added])
            promptTokens += max(0, min(start + generation.added, generation.request.prompt.count) - start)
            generation.added = 0
            guard generation.output != nil else { continue }
            generatedTokens += 1
            let reason = generation.advance(model: model, context: context.pointer, contextLength: shape.contextLength)
            if let reason {
                slots.release(index)
                generation.finish(reason)
                log(generation, reason)
            }
            generation.request.answer.wake()
        }
        statistics.promptTokens.add(promptTokens, ordering: .relaxed)
        statistics.generatedTokens.add(generatedTokens, ordering: .relaxed)
    }

    /// The one sequence that is left fills the cache alone: its answer ends here.
    private func endLongest() {
        for index in slots.indices {
            guard let generation = slots[index].generation else { continue }
            slots.release(index)
            generation.finish(.length)
            generation.request.answer.wake()
        }
    }

    private func failAll(_ error: GatewayError) {
        for index in slots.indices {
            slots[index].generation?.request.answer.fail(error)
            slots.release(index)
        }
        for generation in preempted { generation.request.answer.fail(error) }
        preempted = []
        guard error.code == .shuttingDown else { return }
        let waiting = queue.inbox.withLock { inbox in
            defer { inbox.waiting = [] }
            return inbox.waiting
        }
        for request in waiting { request.answer.fail(error) }
    }

    private func log(_ generation: Generation, _ reason: FinishReason) {
        statistics.logger.debug(
            "local answer complete",
            metadata: [
                "reason": "\(reason.rawValue)",
                "prompt_tokens": "\(generation.request.prompt.count)",
                "cached_tokens": "\(generation.cachedTokens)",
                "completion_tokens": "\(generation.generatedCount)",
                "first_token": "\(generation.firstToken.map { $0 - generation.request.submitted } ?? .zero)",
                "total": "\(MonotonicInstant.now - generation.request.submitted)",
            ]
        )
    }
}

#endif

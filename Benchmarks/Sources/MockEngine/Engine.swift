// The loop of the mock engine: accepts, answers, and sends the events of all streams at their times, on one thread.

package import Loopback

#if canImport(Glibc)
import Glibc
#endif

/// What the engine has done, for the harness to compare with what the clients saw.
struct Statistics {
    var requests = 0
    var streams = 0
    var events = 0
    /// Streams whose client went away before the end.
    var cut = 0
}

/// An engine that serves until the process ends; one thread owns it.
package final class Engine {
    private let listeners: [Socket]
    private var answers: Answers
    private let defaults: StreamShape
    private let verbose: Bool
    private let poller = Poller()
    private var pacer = Pacer()
    private var connections: [Connection?] = []
    private var freeSlots: [Int] = []
    private var statistics = Statistics()
    /// One for each listener, if prompts cost time.
    private var prefills: [PrefillQueue]

    /// - Parameters:
    ///   - listeners: Sockets that listen; each looks like one engine.
    ///   - model: The model id to answer with.
    ///   - defaults: The shape of a stream whose request does not ask for another.
    ///   - prefill: What it costs to read a prompt before its stream begins; nothing by default.
    ///   - verbose: Whether to print the paths that have no answer.
    package init(
        listeners: [Socket],
        model: String,
        defaults: StreamShape,
        prefill: PrefillShape? = nil,
        verbose: Bool = false
    ) {
        self.listeners = listeners
        answers = Answers(model: model)
        self.defaults = defaults
        self.verbose = verbose
        prefills = prefill.map { shape in listeners.map { _ in PrefillQueue(shape) } } ?? []
    }

    package func serve() -> Never {
        // Tokens below zero are listeners, the others are connection slots.
        for (index, listener) in listeners.enumerated() { poller.add(listener.descriptor, token: -1 - index) }
        while true {
            poller.wait(nanoseconds: untilNextEvent()) { token, readable, writable in
                if token < 0 {
                    acceptAll(-1 - token)
                } else if let connection = connections[token] {
                    if writable { flush(connection) }
                    // Flushing may have closed it, and its descriptor may be another's by now.
                    if readable, connections[token] === connection { receive(connection) }
                }
            }
            beginReadStreams()
            sendDueEvents()
        }
    }

    private func untilNextEvent() -> Int64 {
        var next = pacer.earliest?.deadline
        for prefill in prefills {
            if let end = prefill.current?.end { next = min(next ?? end, end) }
        }
        guard let next else { return -1 }
        let now = monotonicNow()
        return next > now ? Int64(next - now) : 0
    }

    // MARK: Connections

    private func acceptAll(_ listener: Int) {
        while let socket = listeners[listener].accept() {
            let slot = freeSlots.popLast() ?? connections.count
            let connection = Connection(socket: socket, slot: slot, listener: listener)
            if slot == connections.count { connections.append(connection) } else { connections[slot] = connection }
            poller.add(socket.descriptor, token: slot)
        }
    }

    private func close(_ connection: Connection) {
        guard connections[connection.slot] === connection else { return }
        if connection.stream != nil { statistics.cut += 1 }
        connection.stream = nil
        connection.socket.close()
        connections[connection.slot] = nil
        freeSlots.append(connection.slot)
    }

    private func receive(_ connection: Connection) {
        switch connection.received.fill(from: connection.socket) {
        case .bytes: answerRequests(connection)
        case .wouldBlock: break
        case .closed: close(connection)
        }
    }

    private func flush(_ connection: Connection) {
        guard connection.unsent.count > 0 else { return }
        if case .closed = connection.unsent.drain(into: connection.socket) { return close(connection) }
        watchWrites(connection)
    }

    private func send(_ bytes: [UInt8], to connection: Connection) {
        guard connection.send(bytes) else { return close(connection) }
        watchWrites(connection)
    }

    private func watchWrites(_ connection: Connection) {
        let wanted = connection.unsent.count > 0
        guard wanted != connection.watchesWrites else { return }
        connection.watchesWrites = wanted
        poller.change(connection.socket.descriptor, token: connection.slot, writable: wanted)
    }

    // MARK: Requests

    /// Answers all whole requests, but none while a stream runs: what a client pipelines waits.
    private func answerRequests(_ connection: Connection) {
        while connections[connection.slot] === connection, connection.stream == nil,
            let request = Request(connection.received.bytes, defaults: defaults)
        {
            statistics.requests += 1
            if case .stream(let shape, let usage) = request.wanted, !prefills.isEmpty {
                let prompt = Array(request.prompt(in: connection.received.bytes))
                connection.received.consume(request.length)
                enqueue(prompt, shape, usage: usage, on: connection)
            } else {
                connection.received.consume(request.length)
                answer(request.wanted, on: connection)
            }
        }
    }

    private func answer(_ wanted: Wanted, on connection: Connection) {
        switch wanted {
        case .chat: send(answers.chat, to: connection)
        case .stream(let shape, let usage): begin(shape, usage: usage, on: connection)
        case .models: send(answers.models, to: connection)
        case .health: send(answers.health, to: connection)
        case .info: send(answers.info, to: connection)
        case .statistics: sendStatistics(to: connection)
        case .other(let path):
            if verbose {
                print("no answer for \(path)")
                fflush(nil)
            }
            send(answers.notFound, to: connection)
        case .malformed: send(answers.badRequest, to: connection)
        }
    }

    private func sendStatistics(to connection: Connection) {
        let prefill = prefills.map(\.statistics).map { read in
            "{\"prompts\":\(read.prompts),\"tokens\":\(read.tokens),\"cached\":\(read.cached)}"
        }.joined(separator: ",")
        let body =
            "{\"requests\":\(statistics.requests),\"streams\":\(statistics.streams),"
            + "\"events\":\(statistics.events),\"cut\":\(statistics.cut),\"prefill\":[\(prefill)]}"
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
        send(Array((head + body).utf8), to: connection)
    }

    // MARK: Streams

    private func begin(_ shape: StreamShape, usage: Bool, on connection: Connection) {
        statistics.streams += 1
        connection.stream = RunningStream(id: statistics.streams, shape: shape, usage: usage, deadline: 0)
        sendFirst(on: connection)
    }

    private func enqueue(_ prompt: [UInt8], _ shape: StreamShape, usage: Bool, on connection: Connection) {
        statistics.streams += 1
        connection.stream = RunningStream(id: statistics.streams, shape: shape, usage: usage, deadline: 0)
        let job = PrefillQueue.Job(prompt: prompt, connection: connection.slot, stream: statistics.streams)
        prefills[connection.listener].append(job, now: monotonicNow())
    }

    /// Begins the streams whose prompts have been read.
    private func beginReadStreams() {
        let now = monotonicNow()
        for index in prefills.indices {
            while let job = prefills[index].takeDone(now: now) {
                guard let connection = connections[job.connection], connection.stream?.id == job.stream else {
                    continue
                }
                sendFirst(on: connection)
            }
        }
    }

    private func sendFirst(on connection: Connection) {
        guard let stream = connection.stream else { return }
        let now = monotonicNow()
        connection.stream?.deadline = now
        // Head and first event leave together, as an engine's do whose first token is ready.
        answers.firstEvent.fill(time: now, sequence: 0, stream: stream.id)
        send(answers.streamHead + answers.firstEvent.bytes, to: connection)
        advance(connection)
    }

    private func sendDueEvents() {
        guard let first = pacer.earliest else { return }
        let now = monotonicNow()
        var due = first
        while due.deadline <= now {
            pacer.removeEarliest()
            if let connection = connections[due.connection], connection.stream?.id == due.stream {
                sendEvent(on: connection)
            }
            guard let next = pacer.earliest else { return }
            due = next
        }
    }

    private func sendEvent(on connection: Connection) {
        guard let stream = connection.stream else { return }
        if stream.sequence < stream.shape.events {
            answers.event.fill(time: monotonicNow(), sequence: stream.sequence, stream: stream.id)
            send(answers.event.bytes, to: connection)
            advance(connection)
        } else {
            connection.stream = nil
            send(stream.usage ? answers.streamEndWithUsage : answers.streamEnd, to: connection)
            answerRequests(connection)
        }
    }

    /// Counts the event just sent and asks for the next one, or for the end, one interval after its own time.
    private func advance(_ connection: Connection) {
        guard var stream = connection.stream else { return }
        statistics.events += 1
        stream.sequence += 1
        stream.deadline += stream.shape.interval
        connection.stream = stream
        pacer.insert(Due(deadline: stream.deadline, connection: connection.slot, stream: stream.id))
    }
}

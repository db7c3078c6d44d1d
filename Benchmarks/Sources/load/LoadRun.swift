// The closed loop: C connections, each with one request in flight, until the time is over.

import Loopback

/// Why requests failed.
struct Failures {
    var connect = 0
    /// An answer with a status other than 200.
    var status = 0
    /// The connection ended, or the answer was not HTTP, before the answer was complete.
    var broken = 0
    var timeout = 0

    var total: Int { connect + status + broken + timeout }
}

final class Client {
    let slot: Int
    var socket: Socket?
    let received = ByteQueue(capacity: 65_536)
    let unsent = ByteQueue(capacity: 1_024)
    var reader = ResponseReader()
    var begun: UInt64 = 0
    var waiting = false
    var watchesWrites = false

    init(slot: Int) {
        self.slot = slot
    }
}

/// The body of an answer that is only counted.
struct Ignored: BodySink {
    mutating func take(_: UnsafeRawBufferPointer) {}
}

final class LoadRun {
    /// An answer that takes longer has failed; its connection is opened anew.
    private static let patience: UInt64 = 10_000_000_000

    private let options: LoadOptions
    private let messages: RequestMessages
    private let ramp: UInt64
    private let clients: [Client]
    private var checks: [StreamCheck]
    private let poller = Poller()
    private var turn = 0
    private var inFlight = 0
    private var started: UInt64 = 0
    private var measuring: UInt64 = 0
    private var stop: UInt64 = 0
    private var result = LoadResult()

    /// `streaming` is the number of events each answer streams; nil for whole answers.
    init(options: LoadOptions, connections: Int, ramp: Double, messages: RequestMessages, streaming: Int?) {
        self.options = options
        self.messages = messages
        self.ramp = UInt64(ramp * 1e9)
        clients = (0..<connections).map(Client.init(slot:))
        let tally = result.streams
        checks =
            streaming.map { events in
                (0..<connections).map { _ in StreamCheck(expected: events, tally: tally) }
            } ?? []
    }

    func measure() -> LoadResult {
        started = monotonicNow()
        // The first streams begin over the ramp and the last of them must be under way before anything counts.
        measuring = started + ramp + ramp / 5
        stop = measuring + UInt64(options.seconds * 1e9)
        var opened = 0
        var lastLook = started
        while true {
            let now = monotonicNow()
            while now < stop, opened < clients.count, now >= started + ramp * UInt64(opened) / UInt64(clients.count) {
                open(clients[opened])
                opened += 1
            }
            if now >= stop, inFlight == 0 || now > stop + Self.patience { break }
            if now > lastLook + 100_000_000 {
                failLateOnes(now)
                lastLook = now
            }
            poller.wait(nanoseconds: opened < clients.count ? 200_000 : 20_000_000) { slot, readable, writable in
                if writable { flush(clients[slot]) }
                if readable { receive(clients[slot]) }
            }
        }
        settle()
        return result
    }

    // MARK: One request

    private func open(_ client: Client) {
        guard let socket = Socket.connecting(port: options.port[client.slot % options.port.count]) else {
            result.failures.connect += 1
            return
        }
        client.socket = socket
        client.watchesWrites = false
        client.received.removeAll()
        client.unsent.removeAll()
        client.reader = ResponseReader()
        poller.add(socket.descriptor, token: client.slot)
        begin(client)
    }

    private func begin(_ client: Client) {
        let message = messages[turn]
        turn += 1
        if !checks.isEmpty { checks[client.slot].begin() }
        client.waiting = true
        inFlight += 1
        client.begun = monotonicNow()
        message.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { client.unsent.append(base, count: bytes.count) }
        }
        flush(client)
    }

    private func flush(_ client: Client) {
        guard let socket = client.socket, client.unsent.count > 0 else { return }
        if case .closed = client.unsent.drain(into: socket) { return fail(client, \.connect) }
        let wanted = client.unsent.count > 0
        if wanted != client.watchesWrites {
            client.watchesWrites = wanted
            poller.change(socket.descriptor, token: client.slot, writable: wanted)
        }
    }

    private func receive(_ client: Client) {
        guard let socket = client.socket else { return }
        switch client.received.fill(from: socket) {
        case .bytes: read(client)
        case .wouldBlock: break
        case .closed: if client.waiting { fail(client, \.broken) } else { drop(client) }
        }
    }

    private func read(_ client: Client) {
        let now = monotonicNow()
        let progress: ResponseProgress
        if checks.isEmpty {
            var ignored = Ignored()
            progress = client.reader.read(client.received, into: &ignored)
        } else {
            checks[client.slot].now = now
            checks[client.slot].measured = now >= measuring && now < stop
            progress = client.reader.read(client.received, into: &checks[client.slot])
        }
        switch progress {
        case .incomplete: break
        case .broken: fail(client, \.broken)
        case .complete(let status, let closes): complete(client, status: status, closes: closes, now: now)
        }
    }

    private func complete(_ client: Client, status: Int, closes: Bool, now: UInt64) {
        client.waiting = false
        inFlight -= 1
        if status != 200 {
            result.failures.status += 1
        } else {
            result.completed += 1
            record(client, now: now)
        }
        if now >= stop { return }
        if closes {
            drop(client)
            open(client)
        } else {
            begin(client)
        }
    }

    private func record(_ client: Client, now: UInt64) {
        let counts = client.begun >= measuring && now < stop
        if counts {
            result.measured += 1
            result.latency.record(now - client.begun)
        }
        guard !checks.isEmpty else { return }
        checks[client.slot].finish()
        if client.begun >= measuring, let first = checks[client.slot].firstEvent {
            result.firstEvent.record(first - client.begun)
        }
    }

    // MARK: Failures

    private func fail(_ client: Client, _ reason: WritableKeyPath<Failures, Int>) {
        result.failures[keyPath: reason] += 1
        if client.waiting { inFlight -= 1 }
        drop(client)
        // A server that refuses everything must not be hammered: the loop ends early instead.
        if result.failures.total > 1_000 { stop = min(stop, monotonicNow()) }
        if monotonicNow() < stop { open(client) }
    }

    private func drop(_ client: Client) {
        client.waiting = false
        client.socket?.close()
        client.socket = nil
    }

    private func failLateOnes(_ now: UInt64) {
        for client in clients where client.waiting && now > client.begun + Self.patience { fail(client, \.timeout) }
    }

    private func settle() {
        result.failures.timeout += inFlight
        result.seconds = options.seconds
    }
}

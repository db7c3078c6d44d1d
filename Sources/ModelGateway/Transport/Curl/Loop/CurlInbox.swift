// What other threads ask of an event loop, until the loop takes it up.

import GatewayWire
import Synchronization

extension CurlEventLoop {
    /// What other threads, and tasks on this one, ask of the loop.
    enum Command {
        case job(UnownedJob)
        case start(CurlTransfer)
        case cancel(CurlTransfer)
        /// The consumer has what it needs; the rest may be read and thrown away if it is small and arrives soon.
        case discard(CurlTransfer)
        /// The consumer has taken the bytes that the transfer was paused for.
        case release(CurlTransfer)
        /// The source of a request body has answered.
        case upload(CurlTransfer, Result<[UInt8]?, GatewayError>)
        /// End as soon as no transfers are left.
        case retire
        /// End now.
        case shutDown
    }
}

/// The commands of other threads. Submitting one tells whether the loop must be woken for it.
final class CurlInbox: Sendable {
    private struct State {
        var commands: [CurlEventLoop.Command] = []
        var isSleeping = false
        /// No more commands are accepted.
        var hasEnded = false
        /// All connections are closed.
        var isClosed = false
        var closeWaiters: [UnsafeContinuation<Void, Never>] = []
    }

    /// What has become of a command.
    enum Reception {
        /// The loop will take it without further ado.
        case isAwake
        /// The loop must be woken.
        case sleeps
        /// The loop has ended: the command was not accepted.
        case hasEnded
    }

    private let state = Lock(State())

    func submit(_ command: CurlEventLoop.Command) -> Reception {
        state.withLock { state in
            if state.hasEnded { return .hasEnded }
            state.commands.append(command)
            defer { state.isSleeping = false }
            return state.isSleeping ? .sleeps : .isAwake
        }
    }

    /// Moves all commands to the end of the loop's own.
    func take(into commands: inout [CurlEventLoop.Command]) {
        state.withLock { state in
            state.isSleeping = false
            if state.commands.isEmpty { return }
            if commands.isEmpty {
                swap(&commands, &state.commands)
            } else {
                commands.append(contentsOf: state.commands)
                state.commands.removeAll(keepingCapacity: true)
            }
        }
    }

    /// Notes that the loop is going to sleep. False if there are commands: then it must not.
    func sleep() -> Bool {
        state.withLock { state in
            state.isSleeping = state.commands.isEmpty
            return state.isSleeping
        }
    }

    /// Stops accepting commands. False if there are some: then the loop must go on.
    func end() -> Bool {
        state.withLock { state in
            state.hasEnded = state.commands.isEmpty
            return state.hasEnded
        }
    }

    /// Lets ``waitForClose()`` return.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.closeWaiters = [] }
            return state.closeWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func waitForClose() async {
        await withUnsafeContinuation { continuation in
            let isClosed = state.withLock { state in
                if !state.isClosed { state.closeWaiters.append(continuation) }
                return state.isClosed
            }
            if isClosed { continuation.resume() }
        }
    }
}

// A program that a test runs: started with posix_spawn, on pipes or on a terminal of its own, and watched from outside.

import Foundation
import GatewayWire
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A running program. Everything that it writes is kept; it is killed when the value goes away.
final class ChildProcess: Sendable {
    /// Where the program's input comes from.
    enum Input: Sendable {
        /// Nowhere: it ends at once.
        case none
        /// A pipe with this text in it.
        case text(String)
        /// A pipe that nobody writes to and nobody closes while the value lives.
        case silence
        /// None at all: the descriptor is closed.
        case closed
        /// A terminal that is input, output and error output at once.
        case terminal
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct State {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        /// The exit status, or 128 and the number of the signal that ended it.
        var status: Int32?
        var openStreams = 0
    }

    private static let starting = Lock(())

    private let state = Lock(State())
    private let pid: pid_t
    private let terminal: Int32?
    private let silence: Int32?
    private let command: String

    /// Starts a program.
    /// - Parameters:
    ///   - environment: Added to the few variables that every program gets.
    ///   - readsOutput: Whether anyone reads the output; if not, its pipe is closed from the start.
    init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        input: Input = .none,
        readsOutput: Bool = true
    ) throws {
        command = ([executable] + arguments).joined(separator: " ")
        let environment = Self.environment(adding: environment)
        // One at a time: between making a pipe and marking it as ours alone, no other program may start.
        let started = try Self.starting.withLock { _ in
            var spawn = try Spawn()
            var readers: [(descriptor: Int32, isError: Bool)] = []
            var terminal: Int32?
            if case .terminal = input {
                let master = try spawn.attachTerminal()
                terminal = master
                readers = [(master, false)]
            } else {
                readers = try spawn.attachPipes(input: input, readsOutput: readsOutput)
            }
            let pid = try spawn.start(executable, arguments, environment)
            spawn.closeChildEnds()
            return (pid: pid, terminal: terminal, silence: spawn.silence, readers: readers)
        }
        pid = started.pid
        terminal = started.terminal
        silence = started.silence
        let readers = started.readers
        state.withLock { $0.openStreams = readers.count }
        for reader in readers { read(reader.descriptor, isError: reader.isError) }
        Thread.detachNewThread { [self, pid] in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            state.withLock { $0.status = signal == 0 ? (status >> 8) & 0xFF : 128 + signal }
        }
    }

    deinit {
        if let terminal { close(terminal) }
        if let silence { close(silence) }
    }

    // MARK: What it wrote

    /// All of standard output so far, or what was on the terminal.
    var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }

    /// All of standard error so far.
    var errors: String { state.withLock { String(decoding: $0.errors, as: UTF8.self) } }

    /// Whether it still runs.
    var isRunning: Bool { state.withLock { $0.status == nil } }

    // MARK: Dealing with it

    /// Sends a signal.
    func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Types on the terminal.
    func type(_ text: String) {
        guard let terminal else { return }
        let bytes = Array(text.utf8)
        _ = write(terminal, bytes, bytes.count)
    }

    /// Waits until the output fulfils a condition.
    /// - Parameter limit: A guard against hanging, not an expectation.
    func waitForOutput(within limit: Duration = .seconds(120), _ condition: (String) -> Bool) async throws {
        try await wait("its output", within: limit) { condition(output) }
    }

    /// Waits until standard error fulfils a condition.
    func waitForErrors(within limit: Duration = .seconds(120), _ condition: (String) -> Bool) async throws {
        try await wait("its error output", within: limit) { condition(errors) }
    }

    /// Waits until it has ended and everything that it wrote has been read.
    @discardableResult
    func waitForExit(within limit: Duration = .seconds(120)) async throws -> Int32 {
        try await wait("its end", within: limit, mayEnd: true) {
            state.withLock { $0.status != nil && $0.openStreams == 0 }
        }
        return state.withLock { $0.status ?? -1 }
    }

    /// Ends it, whatever it does.
    func end() async throws {
        signal(SIGKILL)
        try await waitForExit()
    }

    private func wait(
        _ what: String,
        within limit: Duration,
        mayEnd: Bool = false,
        _ condition: () -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        while !condition() {
            let hasEnded = state.withLock { $0.status != nil && $0.openStreams == 0 }
            if hasEnded, !mayEnd, !condition() { throw failure("ended before \(what) was as expected") }
            guard ContinuousClock.now < end else {
                signal(SIGKILL)
                throw failure("was waited for in vain: \(what)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func failure(_ text: String) -> Failure {
        Failure(description: "\(command) \(text).\noutput: \(output.suffix(2000))\nerrors: \(errors.suffix(2000))")
    }

    private func read(_ descriptor: Int32, isError: Bool) {
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 65536)
            while true {
                let count = Self.readSome(descriptor, &buffer)
                // The other end of a terminal reports an input error when the program has gone.
                guard count > 0 else { break }
                state.withLock { state in
                    if isError { state.errors += buffer[..<count] } else { state.output += buffer[..<count] }
                }
            }
            state.withLock { $0.openStreams -= 1 }
            if descriptor != terminal { close(descriptor) }
        }
    }

    private static func readSome(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                #if canImport(Glibc)
                Glibc.read(descriptor, bytes.baseAddress, bytes.count)
                #elseif canImport(Musl)
                Musl.read(descriptor, bytes.baseAddress, bytes.count)
                #else
                Darwin.read(descriptor, bytes.baseAddress, bytes.count)
                #endif
            }
            if count >= 0 || errno != EINTR { return count }
        }
    }

    /// What every program gets: not the settings of whoever runs the tests.
    private static func environment(adding more: [String: String]) -> [String: String] {
        let process = ProcessInfo.processInfo.environment
        let kept = ["PATH", "HOME", "XDG_DATA_HOME", "LD_LIBRARY_PATH", "TMPDIR"]
        var environment = process.filter { kept.contains($0.key) }
        environment["LC_ALL"] = "C.UTF-8"
        environment["SWIFT_BACKTRACE"] = "enable=no"
        return environment.merging(more) { $1 }
    }
}

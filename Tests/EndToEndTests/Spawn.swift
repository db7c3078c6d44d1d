// The C side of starting a program: descriptors, terminals and signals as a program expects them.

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What `posix_spawn` is told.
struct Spawn {
    private var actions = posix_spawn_file_actions_t()
    private var attributes = posix_spawnattr_t()
    private var childEnds: [Int32] = []
    /// The end of a pipe that must stay open for as long as nothing is to come through it.
    private(set) var silence: Int32?

    init() throws {
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        // Whoever runs the tests may ignore or block signals; the program starts as from a shell.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE, SIGQUIT, SIGHUP] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
    }

    /// Makes pipes; returns the ends to read from.
    mutating func attachPipes(
        input: ChildProcess.Input,
        readsOutput: Bool
    ) throws -> [(descriptor: Int32, isError: Bool)] {
        switch input {
        case .text(let text):
            let (read, write) = try Self.pipe()
            feed(text, into: write)
            take(read, as: STDIN_FILENO)
        case .silence:
            let (read, write) = try Self.pipe()
            silence = write
            take(read, as: STDIN_FILENO)
        case .closed:
            // Opened first, so that there is something to close.
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addclose(&actions, STDIN_FILENO)
        case .none, .terminal:
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        let (outputRead, outputWrite) = try Self.pipe()
        let (errorRead, errorWrite) = try Self.pipe()
        take(outputWrite, as: STDOUT_FILENO)
        take(errorWrite, as: STDERR_FILENO)
        guard readsOutput else {
            close(outputRead)
            return [(errorRead, true)]
        }
        return [(outputRead, false), (errorRead, true)]
    }

    /// Makes a terminal that the program gets for its own; returns the end to type at.
    mutating func attachTerminal() throws -> Int32 {
        let (master, name) = try Self.terminal()
        // The first terminal that the leader of a new session opens becomes its own, so that Ctrl-C reaches it.
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, name, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDERR_FILENO)
        return master
    }

    mutating func start(_ executable: String, _ arguments: [String], _ environment: [String: String]) throws -> pid_t {
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | Self.newSession
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var pid: pid_t = 0
        let values = environment.map { "\($0.key)=\($0.value)" }
        let failure = Self.withStrings([executable] + arguments) { arguments in
            Self.withStrings(values) { environment in
                posix_spawn(&pid, executable, &actions, &attributes, arguments, environment)
            }
        }
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
        guard failure == 0 else {
            throw ChildProcess.Failure(
                description: "\(executable) does not start: \(String(cString: strerror(failure)))"
            )
        }
        return pid
    }

    /// Closes what only the program needs, so that the end of its output can be seen.
    mutating func closeChildEnds() {
        for descriptor in childEnds { close(descriptor) }
        childEnds = []
    }

    private mutating func take(_ descriptor: Int32, as number: Int32) {
        posix_spawn_file_actions_adddup2(&actions, descriptor, number)
        childEnds.append(descriptor)
    }

    private func feed(_ text: String, into descriptor: Int32) {
        let bytes = Array(text.utf8)
        var sent = 0
        // The texts of the tests fit into a pipe.
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            sent += count
        }
        close(descriptor)
    }

    /// A pipe that no other program inherits by chance.
    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        #if canImport(Glibc)
        let failure = Glibc.pipe(&ends)
        #elseif canImport(Musl)
        let failure = Musl.pipe(&ends)
        #else
        let failure = Darwin.pipe(&ends)
        #endif
        guard failure == 0 else { throw ChildProcess.Failure(description: "There are no descriptors left.") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// A new terminal: the end to type at, and the name of the other one.
    private static func terminal() throws -> (master: Int32, name: String) {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        #if os(Linux)
        // TIOCSPTLCK and TIOCGPTN: what unlockpt and ptsname do, which the C library keeps from Swift.
        var locked: Int32 = 0
        var number: UInt32 = 0
        if master >= 0, ioctl(master, 0x4004_5431, &locked) == 0, ioctl(master, 0x8004_5430, &number) == 0 {
            return (master, "/dev/pts/\(number)")
        }
        #else
        if master >= 0, grantpt(master) == 0, unlockpt(master) == 0, let name = ptsname(master) {
            return (master, String(cString: name))
        }
        #endif
        throw ChildProcess.Failure(description: "There are no terminals left.")
    }

    private static var newSession: Int32 {
        #if os(Linux)
        0x80  // POSIX_SPAWN_SETSID, which is a macro of GNU's.
        #else
        POSIX_SPAWN_SETSID
        #endif
    }

    private static func withStrings<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            // Never nil: there is at least the end marker.
            body(buffer.baseAddress.unsafelyUnwrapped)
        }
    }
}

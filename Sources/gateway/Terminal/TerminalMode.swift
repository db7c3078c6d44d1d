// The terminal while a conversation has it: keys come one by one, pasted text is marked, and any end undoes that.

import GatewaySystem
import Synchronization

// The C library itself: of what runs as a handler of signals each call must be seen to be one that may be made there.
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

enum TerminalMode {
    private static let marksPastes: StaticString = "\u{1B}[?2004h"
    private static let marksNoPastes: StaticString = "\u{1B}[?2004l"
    private static let signals = [
        SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT,
    ]

    private static let saved = SavedTerminal()
    private static let isEntered = Atomic(false)

    /// Takes the terminal of standard input over, for the rest of the process or until ``leave()``.
    /// - Returns: Whether it did; if not, lines come as the system edits them.
    static func enter() -> Bool {
        // A terminal without any abilities does not mark what is pasted.
        let type = ProcessEnvironment["TERM"]
        guard StandardStream.error.isTerminal, type != "dumb", tcgetattr(STDIN_FILENO, saved.before) == 0 else {
            return false
        }
        saved.during.pointee = saved.before.pointee
        // Signals stay the system's business, so that Ctrl-C works at any time.
        saved.during.pointee.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
        saved.during.pointee.c_iflag &= ~tcflag_t(ICRNL | INLCR)
        apply()
        for number in signals { undo(at: number) }
        return true
    }

    /// Gives the terminal back as it was. Does nothing if it was not taken, and may be called by handlers of signals.
    @discardableResult
    static func leave() -> Bool {
        guard isEntered.exchange(false, ordering: .sequentiallyConsistent) else { return false }
        send(marksNoPastes)
        tcsetattr(STDIN_FILENO, TCSANOW, saved.before)
        return true
    }

    /// The width of the terminal, in columns.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static func apply() {
        isEntered.store(true, ordering: .sequentiallyConsistent)
        tcsetattr(STDIN_FILENO, TCSANOW, saved.during)
        send(marksPastes)
    }

    private static func send(_ text: StaticString) {
        _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }

    // MARK: Signals

    /// Has the terminal given back before a signal does what it did before. A signal that is ignored stays so.
    private static func undo(at number: Int32) {
        let old = saved.actions + Int(number)
        var action = sigaction()
        action.handler = { TerminalMode.handle($0) }
        guard sigaction(number, &action, old) == 0 else { return }
        if unsafeBitCast(old.pointee.handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
            sigaction(number, old, nil)
        }
    }

    /// Runs as a handler: nothing here allocates or waits.
    private static func handle(_ number: Int32) {
        let error = errno
        defer { errno = error }
        let wasEntered = leave()
        if number == SIGTSTP {
            stop()
            if wasEntered { apply() }
            return undo(at: number)
        }
        sigaction(number, saved.actions + Int(number), nil)
        // It waits until this returns.
        raise(number)
    }

    /// Lets Ctrl-Z do what it does without a handler; returns when the shell has put the process into the foreground again.
    private static func stop() {
        sigaction(SIGTSTP, saved.actions + Int(SIGTSTP), nil)
        var stops = sigset_t()
        sigemptyset(&stops)
        sigaddset(&stops, SIGTSTP)
        raise(SIGTSTP)
        pthread_sigmask(SIG_UNBLOCK, &stops, nil)
    }
}

/// What the terminal and the signals were like before.
///
/// Written before the handlers that read it are there, and not after.
private struct SavedTerminal: @unchecked Sendable {
    let before = UnsafeMutablePointer<termios>.allocate(capacity: 1)
    let during = UnsafeMutablePointer<termios>.allocate(capacity: 1)
    let actions = UnsafeMutablePointer<sigaction>.allocate(capacity: 65)

    init() {
        before.initialize(to: termios())
        during.initialize(to: termios())
        actions.initialize(repeating: sigaction(), count: 65)
    }
}

extension sigaction {
    /// The function that handles the signal; each C library has its own name for it.
    fileprivate var handler: (@convention(c) (Int32) -> Void)? {
        get {
            #if canImport(Glibc)
            __sigaction_handler.sa_handler
            #elseif canImport(Musl)
            __sa_handler.sa_handler
            #else
            __sigaction_u.__sa_handler
            #endif
        }
        set {
            #if canImport(Glibc)
            __sigaction_handler.sa_handler = newValue
            #elseif canImport(Musl)
            __sa_handler.sa_handler = newValue
            #else
            __sigaction_u.__sa_handler = newValue
            #endif
        }
    }
}

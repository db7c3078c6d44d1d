// Keeps threads out of llama.cpp while the process ends: `exit` destroys the C++ globals that they would use.

#if LlamaCpp

import GatewaySystem

/// The calls into llama.cpp that other threads than the main one make.
///
/// A program that calls `exit`, or returns from `main`, does not wait for its detached threads. One that loaded, computed
/// or freed something then would crash the process at its very end. So `exit` waits until such calls have returned, and
/// who comes later is held until the process is gone.
enum EndOfProcess {
    private struct Calls {
        var underWay = 0
        /// The thread that ends the process; it alone may still free things.
        var ending: UInt?
    }

    private static let calls = Monitor(Calls())
    /// A step of a large model takes seconds. What takes longer hangs, and must not hold the process.
    private static let patience = Duration.seconds(10)

    /// Has `exit` wait. To be called once llama.cpp's globals exist: handlers run in the reverse order.
    static func watch() {
        ThisProcess.atExit { EndOfProcess.begin() }
    }

    /// Makes calls into llama.cpp, if need be not at all: then it does not return.
    static func guarding<Result>(_ body: () -> Result) -> Result {
        calls.wait { calls -> Void? in
            guard calls.ending == nil || calls.ending == CurrentThread.id else { return nil }
            calls.underWay += 1
            return ()
        }
        defer { calls.change { $0.underWay -= 1 } }
        return body()
    }

    /// Whether the process ends, so that long work had better be given up.
    static var hasBegun: Bool { calls.withLock { $0.ending != nil } }

    private static func begin() {
        calls.change { $0.ending = CurrentThread.id }
        calls.wait(atMost: patience) { $0.underWay == 0 ? () : nil }
    }
}

#endif

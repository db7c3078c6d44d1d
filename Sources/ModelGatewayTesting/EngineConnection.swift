// One connection of the scripted engine: reads requests and acts out their scripts, on a thread of its own.

import GatewayWire
import Synchronization

/// Serves one connection until either side ends it.
struct EngineConnection {
    let core: EngineCore
    let descriptor: Int32
    let index: Int
    let respond: ScriptedEngine.Responder

    /// Returns how the connection is to be closed.
    func run() -> Script.Ending {
        var reader = EngineRequestReader(descriptor: descriptor, index: index) { bytes in
            core.state.withLock { $0.connections[index].received += bytes }
        }
        while true {
            guard let request = reader.next() else {
                noteClientClose()
                return .close
            }
            let scripted: Script? = core.state.withLock { state in
                state.requests.append(request)
                return state.scripts.isEmpty ? nil : state.scripts.removeFirst()
            }
            let script = scripted ?? respond(request)
            guard perform(script) else {
                noteClientClose()
                return .close
            }
            switch script.ending {
            case .keepAlive:
                continue
            case .close:
                return .close
            case .reset:
                EngineSocket.closeWithReset(descriptor)
                return .reset
            }
        }
    }

    /// False if the client closed before the end.
    private func perform(_ script: Script) -> Bool {
        // From the script's begin: who has read what comes before the stall may release it before it is reached.
        var releases = core.state.withLock { $0.releases }
        for step in script.steps {
            switch step {
            case .send(let bytes):
                let count = EngineSocket.write(descriptor, bytes)
                core.state.withLock { $0.connections[index].sent += count }
                if count < bytes.count { return false }
            case .pause(let duration):
                if !pause(until: .now + duration) { return false }
            case .stall:
                if !stall(since: &releases) { return false }
            }
        }
        return true
    }

    private func pause(until end: ContinuousClock.Instant) -> Bool {
        while true {
            let (seconds, attoseconds) = (end - .now).components
            let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
            guard seconds > 0 || (seconds == 0 && attoseconds > 0) else { return true }
            // Rounded up, so that the last part of a millisecond is not spent in a busy loop.
            if EngineSocket.peerCloses(descriptor, within: Int32(clamping: milliseconds + 1)) { return false }
        }
    }

    /// Waits until there are more releases than these, and counts them.
    private func stall(since releases: inout Int) -> Bool {
        while core.state.withLock({ [releases] in $0.releases == releases && !$0.isStopped }) {
            if EngineSocket.peerCloses(descriptor, within: 2) { return false }
        }
        releases = core.state.withLock { $0.releases }
        return true
    }

    private func noteClientClose() {
        core.state.withLock { state in
            if !state.isStopped { state.connections[index].wasClosedByClient = true }
        }
    }
}

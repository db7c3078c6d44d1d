// When a connection to an engine reads: what the channel asks for waits while there is a reason not to.

/// The reads of one connection.
struct ReadGate {
    /// Whether the reader of the body has not taken what came, so that the engine has to wait.
    var isHeldBack = false
    /// Whether there is a moment's pause, because the event loop is busy.
    var isPaced = false
    /// Whether the channel asked for more while the gate was shut.
    private var isAsked = false

    private var isOpen: Bool { !isHeldBack && !isPaced }

    /// The channel asks for more.
    /// - Returns: Whether it may read now; otherwise the question is kept.
    mutating func ask() -> Bool {
        if !isOpen { isAsked = true }
        return isOpen
    }

    /// Answers a question that was kept, if nothing stands against it any more.
    /// - Returns: Whether to read now.
    mutating func answer() -> Bool {
        guard isAsked, isOpen else { return false }
        isAsked = false
        return true
    }
}

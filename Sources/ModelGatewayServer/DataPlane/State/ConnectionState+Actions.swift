// What a connection's decisions ask for: a small set of actions for each kind of input.

extension ConnectionState {
    /// What to do with a part of a request that came in.
    enum Arrival {
        case take
        /// Keep it until the answer that is being given is over.
        case keep
        case drop
    }

    /// What to do at a request's head.
    enum HeadAction: Equatable {
        /// Collect its body for a call.
        case receive(sayingContinue: Bool)
        /// Let the router answer it.
        case pass(sayingContinue: Bool)
        /// Read past its body and refuse it then.
        case readPast
        /// Refuse it at once, for the last time on this connection.
        case refuse
        case drop
    }

    /// What to do after an exchange has ended.
    enum FinishAction {
        /// Go on with what waits.
        case next
        case closeAfterWrites
        /// It had ended before.
        case nothing
    }

    /// What to do about bytes that are not HTTP.
    enum FailureAction {
        case refuse
        /// Let the router know.
        case passOn
        /// Refuse them after the answer that is being given.
        case keep
        case drop
    }

    /// What to do about the connection.
    enum Action {
        case nothing
        /// End the connection once everything is written.
        case closeAfterWrites
        /// End the connection's output; the input is read on for a moment.
        case closeOutput
        case close
        /// Let go of the exchange, whose client cannot be answered any more, and close.
        case abandonAndClose
        /// Let go of the exchange, whose client does nothing, and close.
        case giveUp
        /// Answer, for the last time.
        case refuseMalformed, refuseSlowHead, refuseSlowBody, refuseForShutdown
        /// End the stream that goes out with an error.
        case failStream
        /// Fetch the head of the running call's answer if it has not gone out, and keep it alive.
        case attendCall
        /// Let the router know.
        case passOn
    }
}

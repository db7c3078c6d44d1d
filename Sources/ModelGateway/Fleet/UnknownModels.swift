// The error of a call for a model that the fleet does not have: there is none, or one may come soon.

import GatewayWire
import Synchronization

/// Knows which models have gone lately, and whether workers are still to be heard of.
///
/// A name that is wrong is the client's mistake (404). But a model whose workers have all vanished may be back in a
/// moment, and while no worker has been found yet nobody knows which models there are: that is 503, and clients try
/// again.
final class UnknownModels: Sendable {
    private struct State {
        var isSearching = false
        var answersDue = MonotonicInstant(nanoseconds: .min)
        var gone: [String: MonotonicInstant] = [:]
    }

    // How long a model that was there may be expected back.
    private static let memory = Duration.seconds(60)
    private static let retryAfter = Duration.seconds(2)

    private let state = Lock(State())

    /// Says what is known about workers.
    /// - Parameters:
    ///   - isSearching: Whether something names workers and none of them has been heard of so far.
    ///   - answersDue: Until when workers that have not answered yet may be expected to.
    func expect(isSearching: Bool, answersDue: MonotonicInstant) {
        state.withLock { state in
            state.isSearching = isSearching
            state.answersDue = answersDue
        }
    }

    /// The last deployment of a model has gone.
    func lost(_ model: String, now: MonotonicInstant) {
        state.withLock { state in
            state.gone = state.gone.filter { now - $0.value < Self.memory }
            state.gone[model] = now
        }
    }

    /// The error for a call of a model that is not there.
    func error(for model: String, now: MonotonicInstant) -> GatewayError {
        let (wasThere, mayCome) = state.withLock { state in
            let wasThere = state.gone[model].map { now - $0 < Self.memory } ?? false
            return (wasThere, state.isSearching || now < state.answersDue)
        }
        // A name that a client made up may be of any length.
        let name = String(model.prefix(80)).debugDescription
        if wasThere {
            return GatewayError(
                .unavailable,
                "The model \(name) has no deployment at the moment; its last worker has just left. Try again later.",
                retryAfter: Self.retryAfter
            )
        }
        if mayCome {
            return GatewayError(
                .unavailable,
                "The model \(name) is not known yet; workers are still being found. Try again in a moment.",
                retryAfter: Self.retryAfter
            )
        }
        return GatewayError(
            .modelNotFound,
            "There is no model \(model.debugDescription)",
            advice: .chooseModel,
            param: "model"
        )
    }
}

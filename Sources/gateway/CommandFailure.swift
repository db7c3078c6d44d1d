// How a command ends when it fails: the exit status (by sysexits.h) and what is said about it.

import ModelGateway

/// The statuses that the program exits with, besides 0.
enum ExitStatus: Int32, Sendable {
    case usage = 64
    case badData = 65
    case noInput = 66
    case unavailable = 69
    case failure = 70
    case outputFailed = 74
    case notPermitted = 77
    case configuration = 78
    case interrupted = 130
}

/// The end of a command that did not do what it was asked for.
struct CommandFailure: Error {
    let status: ExitStatus
    /// What was wrong and what to do. Empty says nothing: the person knows.
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// The failure that an error means; nil for errors of the argument parser, which knows best what to say.
    init?(_ error: any Error) {
        switch error {
        case let failure as CommandFailure: self = failure
        case let error as GatewayError: self.init(error)
        default: return nil
        }
    }

    init(_ error: GatewayError) {
        self.init(ExitStatus(error.code), error.advising { _ in "check how it is spelled" }.message)
    }

    /// - Parameter mistakes: Those of a configuration, at least one.
    init(_ mistakes: [ConfigurationIssue]) {
        let count = mistakes.count
        let summary =
            count == 1
            ? "the configuration has a mistake; correct it and try again"
            : "the configuration has \(count) mistakes; correct them and try again"
        self.init(.configuration, "\(summary):\n" + mistakes.map(\.description).joined(separator: "\n"))
    }

    /// What goes to standard error.
    var report: String { message.isEmpty ? "" : "gateway: \(message)\n" }
}

extension ExitStatus {
    init(_ code: GatewayError.Code) {
        self =
            switch code {
            case .configuration: .configuration
            case .cancelled: .interrupted
            case .invalidRequest, .contextLengthExceeded, .contentFiltered, .unprocessable, .payloadTooLarge,
                .modelLoadFailed:
                .badData
            case .unauthenticated, .permissionDenied, .upstreamUnauthorized: .notPermitted
            case .connectFailed, .tlsFailed, .timedOut, .unavailable, .overloaded, .rateLimited, .shuttingDown,
                .unsupported,
                .modelNotFound, .notFound:
                .unavailable
            default: .failure
            }
    }
}

// What to do about an error, where that depends on who asks: a program, a client of the server, a person at a terminal.

/// What can be done about an error in more than one way. A program reads its own way in the error's message; the server
/// and the command line put theirs in its place.
package enum Advice: Sendable, Hashable {
    /// Choose among the models that there are.
    case chooseModel
    /// Choose among the workers that there are.
    case chooseWorker
    /// Change the worker instead of adding it.
    case changeWorker
    /// Choose among the deployments of the model, or let the policy do it.
    case chooseDeployment

    /// The advice for a program, as the end of a sentence.
    fileprivate var forPrograms: String {
        switch self {
        case .chooseModel: "Gateway.models lists the available ones"
        case .chooseWorker: "Gateway.workers lists the available ones"
        case .changeWorker: "change it with Gateway.updateWorker"
        case .chooseDeployment: "Gateway.groups lists the available ones"
        }
    }
}

extension GatewayError {
    /// Creates an error whose message ends with an advice for programs.
    /// - Parameter fact: What was wrong, without the full stop.
    package init(_ code: Code, _ fact: String, advice: Advice, param: String? = nil) {
        self.init(code, "\(fact); \(advice.forPrograms).", param: param)
        self.advice = advice
    }

    /// The same error, with other words for its advice if it has one.
    /// - Parameter words: The end of a sentence, without the full stop.
    package func advising(_ words: (Advice) -> String) -> GatewayError {
        guard let advice, message.hasSuffix("\(advice.forPrograms).") else { return self }
        var error = self
        error.message = message.dropLast(advice.forPrograms.count + 1) + words(advice) + "."
        return error
    }
}

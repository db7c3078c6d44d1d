// The advice in errors, in the terms of the server's clients.

import ModelGateway

extension GatewayError {
    /// The error as clients of the server read it: with paths and header names where a program reads those of the library.
    var overHTTP: GatewayError {
        var error = advising { advice in
            switch advice {
            case .chooseModel: "GET /v1/models lists the available ones"
            case .chooseWorker: "GET /workers lists the available ones"
            case .changeWorker: "change it with PATCH"
            case .chooseDeployment: "leave out the header and the policy chooses one"
            }
        }
        if error.advice == .chooseDeployment { error.param = "x-gateway-deployment" }
        return error
    }
}

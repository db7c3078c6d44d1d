// Fields of a raw completion that change what is asked for and that a local model cannot follow.

#if LlamaCpp

import ModelGateway

enum CompletionFields {
    /// Refuses what would change the answer if it were left out.
    /// - Throws: ``GatewayError/Code/unsupported`` that names the field.
    static func check(_ fields: [JSONMember]) throws(GatewayError) {
        for field in fields where ["suffix", "logprobs", "best_of"].contains(field.name) {
            if field.value == .null || field.name == "best_of" && field.value.int == 1 { continue }
            throw GatewayError(
                .unsupported,
                "The local model does not support \"\(field.name)\"; leave it out or choose another model.",
                param: field.name
            )
        }
    }
}

#endif

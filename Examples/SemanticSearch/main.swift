// Finds the sentence that is nearest in meaning: swift run SemanticSearch "How do I get my money back?" [URL [MODEL]]

import ModelGateway

let documents = [
    "Refunds are paid within five days of the return.",
    "The shop is open from nine to six, except on Sundays.",
    "Parcels go out on the day of the order.",
    "A forgotten password can be reset from the login page.",
]

let arguments = Array(CommandLine.arguments.dropFirst())
let question = arguments.first ?? "How do I get my money back?"
let server = try OpenAICompatibleProvider(
    baseURL: arguments.count > 1 ? arguments[1] : "http://127.0.0.1:30000/v1",
    transport: CurlTransport()
)
let firstModel = try await server.models(timeouts: Timeouts()).first?.id
let model = arguments.count > 2 ? arguments[2] : firstModel ?? "default"
let gateway = Gateway(provider: server, models: [model])

/// The cosine of the angle between two vectors: 1 for the same direction.
func similarity(_ left: [Float], _ right: [Float]) -> Float {
    func dot(_ left: [Float], _ right: [Float]) -> Float { zip(left, right).reduce(0) { $0 + $1.0 * $1.1 } }
    let lengths = (dot(left, left) * dot(right, right)).squareRoot()
    return lengths > 0 ? dot(left, right) / lengths : 0
}

// One call for all: the question first, then the documents.
let vectors = try await gateway.embed(EmbeddingRequest(model: model, texts: [question] + documents)).embeddings
let scores = vectors.dropFirst().map { similarity(vectors[0], $0) }
for (document, score) in zip(documents, scores).sorted(by: { $0.1 > $1.1 }) {
    print("\((score * 1000).rounded() / 1000)  \(document)")
}

// A web app of your own with a gateway among its routes: swift run HummingbirdApp [URL [MODEL [PORT]]]

import Hummingbird
import ModelGateway
import ModelGatewayServer

let arguments = Array(CommandLine.arguments.dropFirst())
let server = try OpenAICompatibleProvider(
    baseURL: arguments.first ?? "http://127.0.0.1:30000/v1",
    transport: CurlTransport()
)
let firstModel = try await server.models(timeouts: Timeouts()).first?.id
let model = arguments.count > 1 ? arguments[1] : firstModel ?? "default"
let deployment = Deployment(id: "server", provider: server, upstreamModel: model)
let gateway = Gateway(groups: [DeploymentGroup(model: "assistant", deployments: [deployment])])

let router = Router()

// A route of the app that asks a model.
router.get("/haiku/:topic") { _, context in
    let topic = try context.parameters.require("topic")
    let request = ChatRequest(model: "assistant", messages: [.user("Write a haiku about \(topic).")])
    return try await gateway.chat(request).text
}

// The gateway's own routes, for OpenAI's clients: /v1/models, /v1/chat/completions, …
router.mountGateway(gateway)

let app = Application(
    router: router,
    configuration: ApplicationConfiguration(
        address: .hostname("127.0.0.1", port: arguments.count > 2 ? Int(arguments[2]) ?? 8080 : 8080)
    )
)
try await app.runService()

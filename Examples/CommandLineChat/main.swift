// A conversation with a model behind any OpenAI-compatible server: swift run CommandLineChat [URL [MODEL]]

import ModelGateway

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

let arguments = Array(CommandLine.arguments.dropFirst())
let address = arguments.first ?? "http://127.0.0.1:30000/v1"
let server = try OpenAICompatibleProvider(baseURL: address, transport: CurlTransport())
let model = try await arguments.count > 1 ? arguments[1] : server.models(timeouts: Timeouts()).first?.id ?? "default"
let gateway = Gateway(provider: server, models: [model])

var messages: [ChatMessage] = []
while let line = readLine() {
    messages.append(.user(line))
    var answer = ""
    for try await text in gateway.stream(ChatRequest(model: model, messages: messages)).text {
        answer += text
        print(text, terminator: "")
        fflush(nil)
    }
    print()
    messages.append(.assistant(answer))
}

// Reads the configuration file at its argument as an embedding program does; .ci/run has it tried in a build without YAML.

import ModelGateway

let path = CommandLine.arguments.dropFirst().first ?? ""
do {
    let configuration = try Configuration.load(path: path, environment: [:])
    print("models: \(try Gateway(configuration: configuration).models.map(\.id).joined(separator: ", "))")
} catch {
    print(error.message)
}

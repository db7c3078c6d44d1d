// `gateway route`: questions to the router.

import ArgumentParser

struct RouteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Ask the router where calls would go.",
        subcommands: [RouteExplainCommand.self]
    )
}

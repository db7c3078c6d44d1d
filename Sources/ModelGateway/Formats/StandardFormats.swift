// The one list of the formats that the gateway speaks.

/// The formats that the gateway speaks.
package enum StandardFormats {
    /// All of them.
    package static let all: [any Format] = [OpenAIFormat()]

    /// What is spoken to whoever has not shown which format it speaks.
    package static let usual: any Format = OpenAIFormat()

    /// The format of an endpoint.
    package static func format(of endpoint: Endpoint) -> any Format {
        for format in all where format.name == endpoint.format { return format }
        return usual
    }
}

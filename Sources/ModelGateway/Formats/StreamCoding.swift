// What a format brings along for streams: looking at events, putting them together, reading and writing them.

/// What an event of a stream is to what passes it on.
package enum EventKind: Sendable {
    /// Nothing of the answer yet: who speaks, an empty piece.
    case preamble
    /// A piece of the answer, or its end.
    case content
    /// The usage of the call and nothing else.
    case usage
    /// The end mark.
    case done
    /// No part of an answer, or one with an error in it.
    case suspect
    /// Not JSON.
    case broken
}

/// Looks at the events of one stream, in order, without building anything.
package protocol EventInspector: Sendable {
    /// Whether the stream carried a piece of the answer, or its end.
    var hasContent: Bool { get }

    /// Whether the end mark came.
    var isDone: Bool { get }

    /// Whether the stream may end here.
    var isComplete: Bool { get }

    /// Whether the event that was looked at last carries usage.
    var carriesUsage: Bool { get }

    /// The last usage that an event carried.
    var usage: Usage? { get }

    /// Looks at the data of the next event.
    mutating func inspect(_ data: UnsafeRawBufferPointer) -> EventKind

    /// The data of an event without its usage, all other bytes as they came; nil if nothing else is in it.
    func withoutUsage(_ data: [UInt8]) -> [UInt8]?
}

/// Puts the events of a stream together into the answer that the provider would have sent whole.
package protocol AnswerAssembly: Sendable {
    /// Whether the end mark came.
    var isDone: Bool { get }

    /// Whether the answer is complete.
    var isComplete: Bool { get }

    /// Whether the stream carried a piece of the answer, or its end.
    var hasContent: Bool { get }

    /// What the call used, if the stream said so.
    var usage: Usage? { get }

    /// Takes in more of the stream.
    /// - Throws: The provider's own error if the stream carries one; ``GatewayError/Code/malformedResponse``.
    mutating func feed(_ bytes: [UInt8]) throws(GatewayError)

    /// What is wrong with a stream that ended too early.
    mutating func truncation() -> GatewayError

    /// The answer as far as it has come.
    /// - Parameter head: What stands for what the provider left out.
    func body(head: AnswerHead) -> [UInt8]
}

/// Reads a stream: bytes in at any partition, events out.
package protocol StreamDecoder: Sendable {
    /// Whether the end mark came; what follows is ignored.
    var isDone: Bool { get }

    /// Whether the answer is complete.
    var isComplete: Bool { get }

    /// Takes in more bytes and returns the events that they complete.
    /// - Throws: The provider's own error if the stream carries one; ``GatewayError/Code/malformedResponse``.
    mutating func feed(_ bytes: [UInt8]) throws(GatewayError) -> [ChatEvent]

    /// What is wrong with a stream that ended too early.
    mutating func truncation() -> GatewayError
}

/// Writes a stream: events in, bytes out.
package protocol StreamEncoder: Sendable {
    /// Appends what tells of an event.
    mutating func encode(_ event: ChatEvent, into bytes: inout [UInt8])

    /// Appends what has found no place yet, and the end mark.
    mutating func finish(into bytes: inout [UInt8])
}

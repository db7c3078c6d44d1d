// Handlers for swift-log: one JSON object, or one readable line, for each message.

import GatewaySystem
internal import GatewayWire
public import Logging
public import ModelGateway

/// Writes log messages to standard error, one line each, as JSON objects or as readable text.
///
/// ```swift
/// LoggingSystem.bootstrap { GatewayLogHandler(label: $0, format: .json, level: .info) }
/// ```
///
/// A JSON line has `time` (RFC 3339, UTC), `level`, `logger`, `message` and, if there is any, `metadata`. Texts are cut at
/// 8 KiB. Each line is one write, so lines of several threads do not mix. In readable lines, a value of metadata that is not
/// one plain word is quoted.
public struct GatewayLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: Configuration.Logging.Format
    private let write: @Sendable ([UInt8]) -> Void

    /// Creates a handler.
    /// - Parameters:
    ///   - label: The name of the logger.
    ///   - format: The form of lines.
    ///   - level: The least severe level that is written.
    ///   - write: Takes the bytes of a line with its line feed. Default: to standard error, which blocks while it is full.
    public init(
        label: String,
        format: Configuration.Logging.Format,
        level: Logger.Level = .info,
        write: @escaping @Sendable ([UInt8]) -> Void = { LogDestination.standardError($0) }
    ) {
        self.label = label
        self.format = format
        self.write = write
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        if let error = event.error { all["error"] = .string("\(error)") }
        let sorted = all.sorted { $0.key < $1.key }
        write(format == .json ? json(event, sorted) : text(event, sorted))
    }

    private func json(_ event: LogEvent, _ metadata: [(key: String, value: Logger.MetadataValue)]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("time")
        LogTime.now().withUnsafeBytes { writer.string(utf8: $0) }
        writer.member("level", event.level.rawValue)
        writer.member("logger", label)
        writer.member("message", LogText.bounded(event.message.description))
        if !metadata.isEmpty {
            writer.key("metadata")
            writer.beginObject()
            for (key, value) in metadata {
                writer.key(LogText.bounded(key))
                Self.append(value, to: &writer, depth: 0)
            }
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private static func append(_ value: Logger.MetadataValue, to writer: inout JSONWriter, depth: Int) {
        switch value {
        case .array(let values) where depth < 8:
            writer.beginArray()
            for value in values.prefix(100) { append(value, to: &writer, depth: depth + 1) }
            writer.endArray()
        case .dictionary(let values) where depth < 8:
            writer.beginObject()
            for (key, value) in values.sorted(by: { $0.key < $1.key }).prefix(100) {
                writer.key(LogText.bounded(key))
                append(value, to: &writer, depth: depth + 1)
            }
            writer.endObject()
        default:
            writer.string(LogText.bounded(value.description))
        }
    }

    private func text(_ event: LogEvent, _ metadata: [(key: String, value: Logger.MetadataValue)]) -> [UInt8] {
        var line = LogTime.now()
        line += " \(event.level.rawValue) \(label): ".utf8
        LogText.append(event.message.description, to: &line)
        for (key, value) in metadata {
            line.append(UInt8(ascii: " "))
            LogText.appendKey(key, to: &line)
            line.append(UInt8(ascii: "="))
            LogText.appendValue(value.description, to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }
}

/// Where lines go.
public enum LogDestination {
    /// Writes lines to standard error.
    public static func standardError(_ bytes: [UInt8]) {
        write(bytes, to: StreamDescriptor.standardError.descriptor)
    }

    /// Writes all bytes to a file descriptor, as one write if the system takes it. Lines are lost if the other end is
    /// closed or takes nothing for a second: a log has nowhere to report that to.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { try? StreamDescriptor(descriptor: descriptor).write($0, patience: .seconds(1)) }
    }
}

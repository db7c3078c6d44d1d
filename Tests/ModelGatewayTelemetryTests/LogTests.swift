// That log lines are whole, safe and not lost, in both forms.

import GatewayWire
import Logging
import ModelGateway
import ModelGatewayTelemetry
import Synchronization
import Testing

@Suite("Logs")
struct LogTests {
    private final class Lines: Sendable {
        private let bytes = Lock<[UInt8]>([])

        func write(_ more: [UInt8]) { bytes.withLock { $0 += more } }
        var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
        var lines: [String] { text.split(separator: "\n").map(String.init) }
    }

    private func entry() -> RequestLogEntry {
        var record = CallRecord(requestID: "req-1", model: "m \"x\"\n", mode: .chat, deployment: "d", attempts: 1)
        record.duration = .microseconds(1500)
        record.usage = Usage(promptTokens: 3, completionTokens: 2)
        var entry = RequestLogEntry(record)
        entry.time = (0, 5)
        entry.status = 200
        return entry
    }

    @Test func `A request is one line in both forms`() throws {
        for (format, expected) in [
            (
                Configuration.Logging.Format.json,
                #"{"time":"1970-01-01T00:00:00.005Z","level":"info","message":"request","request_id":"req-1","status":200,"#
                    + #""model":"m \"x\"\n","deployment":"d","attempts":1,"stream":false,"duration_ms":1.5,"#
                    + #""input_tokens":3,"output_tokens":2}"#
            ),
            (
                .text,
                #"1970-01-01T00:00:00.005Z request req-1 status=200 model="m \"x\"\n" deployment=d attempts=1 duration=1.5ms "#
                    + "in=3 out=2"
            ),
        ] {
            let lines = Lines()
            let log = try RequestLog(format: format, destination: { lines.write($0) })
            log.write(entry())
            log.close()
            #expect(lines.text == expected + "\n")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `Nothing is lost at the end`() async throws {
        let lines = Lines()
        let log = try RequestLog(format: .json, capacity: 100_000, destination: { lines.write($0) })
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<500 { log.write(entry()) } }
            }
        }
        log.close()
        log.close()
        #expect(lines.lines.count == 2000 && log.dropped == 0)
        log.write(entry())
        #expect(lines.lines.count == 2000)
    }

    @Test(.timeLimit(.minutes(1)))
    func `The oldest lines are dropped when the queue is full`() throws {
        let lines = Lines()
        let gate = Lock(())
        let log = try gate.withLock { _ in
            let log = try RequestLog(format: .text, capacity: 10) { bytes in
                gate.withLock { _ in lines.write(bytes) }
            }
            for index in 0..<1000 {
                var entry = entry()
                entry.requestID = "n\(index)"
                log.write(entry)
            }
            return log
        }
        log.close()
        #expect(log.dropped >= 1000 - 2 * 10 - 10)
        #expect(lines.lines.count + log.dropped == 1000)
        #expect(lines.lines.last?.contains(" n999 ") == true)
    }

    @Test func `Messages are JSON objects`() {
        let lines = Lines()
        var logger = Logger(label: "test") { GatewayLogHandler(label: $0, format: .json) { lines.write($0) } }
        logger[metadataKey: "b"] = "two"
        logger.debug("not written")
        logger.warning("a \"quote\"\n", metadata: ["a": ["x", "y"], "c": ["k": "v"]])
        let expected =
            #""level":"warning","logger":"test","message":"a \"quote\"\n","#
            + #""metadata":{"a":["x","y"],"b":"two","c":{"k":"v"}}}"#
        #expect(lines.lines.count == 1)
        #expect(lines.text.hasPrefix("{\"time\":\"20") && lines.text.hasSuffix(expected + "\n"))
    }

    @Test func `Text lines cannot be forged`() {
        let lines = Lines()
        let logger = Logger(label: "test") { GatewayLogHandler(label: $0, format: .text) { lines.write($0) } }
        logger.info("first\n2026-01-01T00:00:00.000Z error forged", metadata: ["k": "v\r\nx"])
        #expect(lines.lines.count == 1)
        #expect(lines.text.hasSuffix(" info test: first?2026-01-01T00:00:00.000Z error forged k=\"v\\r\\nx\"\n"))
    }

    @Test(
        arguments: [
            ("plain-1.5", "plain-1.5"), ("org/model:tag", "org/model:tag"), ("", #""""#),
            ("two words", #""two words""#),
            ("x status=200", #""x status=200""#), (#"a"b"#, #""a\"b""#), (#"a\b"#, #""a\\b""#), ("é", "é"),
            ("a\r\n2026-01-01T00:00:00.000Z request", #""a\r\n2026-01-01T00:00:00.000Z request""#),
            ("\u{1B}[31m", #""\u001b[31m""#), ("a\u{85}b\u{2028}c", #""a\u0085b\u2028c""#),
            ("abc\u{202E}def", #""abc\u202edef""#), ("\t", #""\t""#), ("\0", #""\u0000""#),
        ]
    )
    func `C12: a value is one word, or quoted such that nothing in it passes for another value or line`(
        value: String,
        written: String
    ) throws {
        let lines = Lines()
        let log = try RequestLog(format: .text, destination: { lines.write($0) })
        var entry = RequestLogEntry(CallRecord(requestID: "r", model: value, mode: .chat, deployment: value))
        entry.path = value
        log.write(entry)
        log.close()
        #expect(lines.text.contains(" request r \(written) model=\(written) deployment=\(written) attempts=0 "))
        #expect(lines.text.utf8.count { $0 == UInt8(ascii: "\n") } == 1)
        let logged = Lines()
        let logger = Logger(label: "test") { GatewayLogHandler(label: $0, format: .text) { logged.write($0) } }
        logger.info("message", metadata: ["a key": "\(value)"])
        #expect(logged.text.hasSuffix(" info test: message a_key=\(written)\n"))
    }

    @Test func `Lines are bounded`() {
        let lines = Lines()
        let logger = Logger(label: "test") { GatewayLogHandler(label: $0, format: .json) { lines.write($0) } }
        logger.info("\(String(repeating: "x", count: 1 << 20))")
        #expect(lines.text.utf8.count < 10_000)
    }
}

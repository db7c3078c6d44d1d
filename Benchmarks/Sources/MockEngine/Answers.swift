// The answers of the mock engine, built once: whole HTTP responses, and stream events with digits to fill in.

internal import Loopback

/// One chunk of a chunked body that holds one SSE event, with the offsets of the digits written at each send.
struct EventTemplate {
    var bytes: [UInt8]
    let time: Int
    let sequence: Int
    let stream: Int

    static let timeDigits = 19
    static let sequenceDigits = 5
    static let streamDigits = 9

    init(delta: String, model: String) {
        let zeros = String(repeating: "0", count: Self.timeDigits)
        let content = "t=\(zeros) n=\(zeros.prefix(Self.sequenceDigits)) s=\(zeros.prefix(Self.streamDigits)) "
        let event = Answers.event(
            model: model,
            choices: "[{\"index\":0,\"delta\":{\(delta)\"content\":\"\(content)\"},\"finish_reason\":null}]"
        )
        bytes = Answers.chunk(event)
        let marker = bytes.withUnsafeBytes { $0.firstOffset(of: "\"t=0") ?? 0 }
        time = marker + 3
        sequence = time + Self.timeDigits + 3
        stream = sequence + Self.sequenceDigits + 3
    }

    mutating func fill(time value: UInt64, sequence number: Int, stream id: Int) {
        bytes.withUnsafeMutableBufferPointer { buffer in
            Self.write(value, digits: Self.timeDigits, at: time, in: buffer)
            Self.write(UInt64(number), digits: Self.sequenceDigits, at: sequence, in: buffer)
            Self.write(UInt64(id), digits: Self.streamDigits, at: stream, in: buffer)
        }
    }

    private static func write(
        _ value: UInt64,
        digits: Int,
        at offset: Int,
        in buffer: UnsafeMutableBufferPointer<UInt8>
    ) {
        var rest = value
        var index = offset + digits
        while index > offset {
            index -= 1
            buffer[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}

/// All that the engine ever sends.
struct Answers {
    let chat: [UInt8]
    let models: [UInt8]
    let health: [UInt8]
    let info: [UInt8]
    let notFound: [UInt8]
    let badRequest: [UInt8]
    let streamHead: [UInt8]
    var firstEvent: EventTemplate
    var event: EventTemplate
    /// The finish event, and after it `[DONE]` and the end of the body.
    let streamEnd: [UInt8]
    /// The same with a usage event between; a number of events fits in its completion tokens as it is.
    let streamEndWithUsage: [UInt8]

    init(model: String) {
        let usage = "{\"prompt_tokens\":50,\"completion_tokens\":50,\"total_tokens\":100}"
        let sentence = "The quick brown fox jumps over the lazy dog and measures how long it took. "
        chat = Self.response(
            "{\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"\(model)\","
                + "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"\(sentence)\"},"
                + "\"finish_reason\":\"stop\"}],\"usage\":\(usage)}"
        )
        models = Self.response(
            "{\"object\":\"list\",\"data\":[{\"id\":\"\(model)\",\"object\":\"model\",\"created\":1700000000,"
                + "\"owned_by\":\"vllm\",\"root\":\"\(model)\",\"max_model_len\":131072}]}"
        )
        health = Self.response("{}")
        info = Self.response(
            "{\"model_id\":\"\(model)\",\"model_path\":\"\(model)\",\"served_model_name\":\"\(model)\","
                + "\"is_generation\":true,\"version\":\"0.11.0\",\"max_model_len\":131072}"
        )
        notFound = Self.response("{\"error\":{\"message\":\"no such path\",\"code\":404}}", status: "404 Not Found")
        badRequest = Self.response(
            "{\"error\":{\"message\":\"not understood\",\"code\":400}}",
            status: "400 Bad Request"
        )
        streamHead = Array(
            ("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                + "cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n").utf8
        )
        firstEvent = EventTemplate(delta: "\"role\":\"assistant\",", model: model)
        event = EventTemplate(delta: "", model: model)
        let finish = Self.chunk(
            Self.event(model: model, choices: "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]")
        )
        let end = Self.chunk("data: [DONE]\n\n") + Array("0\r\n\r\n".utf8)
        streamEnd = finish + end
        streamEndWithUsage = finish + Self.chunk(Self.event(model: model, choices: "[],\"usage\":\(usage)")) + end
    }

    static func event(model: String, choices: String) -> String {
        "data: {\"id\":\"chatcmpl-mock\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
            + "\"model\":\"\(model)\",\"choices\":\(choices)}\n\n"
    }

    static func chunk(_ text: String) -> [UInt8] {
        Array("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n".utf8)
    }

    private static func response(_ body: String, status: String = "200 OK") -> [UInt8] {
        Array(
            ("HTTP/1.1 \(status)\r\ncontent-type: application/json\r\n"
                + "content-length: \(body.utf8.count)\r\n\r\n\(body)").utf8
        )
    }
}

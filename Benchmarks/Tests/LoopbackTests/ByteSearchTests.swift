import Loopback
import Testing

@Suite struct ByteSearchTests {
    private func reading<T>(_ text: String, _ body: (UnsafeRawBufferPointer) -> T) -> T {
        Array(text.utf8).withUnsafeBytes(body)
    }

    private func append(_ bytes: UnsafeRawBufferPointer, to queue: ByteQueue) {
        if let base = bytes.baseAddress { queue.append(base, count: bytes.count) }
    }

    @Test func `Header fields are found without case`() {
        let head = "POST / HTTP/1.1\r\nHost: x\r\nCONTENT-length:  42\r\n\r\n"
        let value = reading(head) { bytes in
            bytes.headerValue("content-length:", within: bytes.count).flatMap { bytes.decimal(at: $0) }
        }
        #expect(value == 42)
        #expect(reading(head) { $0.headerValue("length:", within: $0.count) } == nil)
    }

    @Test func `Bytes behind the head are not headers`() {
        let message = "GET / HTTP/1.1\r\n\r\ncontent-length: 7\r\n"
        #expect(reading(message) { $0.headerValue("content-length:", within: 18) } == nil)
    }

    @Test func `A queue keeps what is not consumed when it grows`() {
        let queue = ByteQueue(capacity: 8)
        reading("abcdef") { append($0, to: queue) }
        queue.consume(4)
        reading("ghijklmnop") { append($0, to: queue) }
        #expect(String(decoding: queue.bytes, as: UTF8.self) == "efghijklmnop")
    }
}

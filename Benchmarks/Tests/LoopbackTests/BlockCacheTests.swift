// The prefix cache of the mock engine against what vLLM's does.

import MockEngine
import Testing

@Suite struct BlockCacheTests {
    private func read(_ text: String, _ cache: inout BlockCache) -> Int {
        Array(text.utf8).withUnsafeBytes { cache.read($0).cached }
    }

    private func blocks(_ letters: String) -> String {
        letters.map { String(repeating: $0, count: 64) }.joined()
    }

    @Test func `A prompt is cached up to the first block that differs`() {
        var cache = BlockCache(capacity: 100)
        #expect(read(blocks("abcd"), &cache) == 0)
        #expect(read(blocks("abcd"), &cache) == 64)
        #expect(read(blocks("abxd"), &cache) == 32)
        #expect(read(blocks("bcd"), &cache) == 0)
    }

    @Test func `A part of a block is never cached`() {
        var cache = BlockCache(capacity: 100)
        let text = blocks("a") + "tail"
        #expect(Array(text.utf8).withUnsafeBytes { cache.read($0) } == (17, 0))
        #expect(read(text, &cache) == 16)
        #expect(cache.count == 1)
    }

    @Test func `The least recently used block is dropped, and of a prompt its end`() {
        var cache = BlockCache(capacity: 4)
        _ = read(blocks("abc"), &cache)
        _ = read(blocks("xy"), &cache)
        #expect(cache.count == 4)
        #expect(read(blocks("abc"), &cache) == 32)
        #expect(read(blocks("xy"), &cache) == 16)
    }

    @Test func `A prompt longer than the cache keeps its beginning`() {
        var cache = BlockCache(capacity: 2)
        #expect(read(blocks("abcd"), &cache) == 0)
        #expect(read(blocks("abcd"), &cache) == 32)
    }
}

// Prompts are read in portions that fit the speed of the machine while answers are being written.

#if LlamaCpp

import Testing

@testable import ModelGatewayLlama

@Suite struct PromptShareTests {
    /// The portion after some steps on a machine of this speed, with portions as they are asked for.
    private func settled(step: Duration, token: Duration, capacity: Int = 512) -> Int {
        var share = PromptShare(capacity: capacity)
        for _ in 0..<20 {
            share.note(step, promptTokens: 0, answers: 4)
            share.note(step + token * share.tokens, promptTokens: share.tokens, answers: 4)
        }
        return share.tokens
    }

    @Test func `The share begins with a quarter of a step`() {
        #expect(PromptShare(capacity: 512).tokens == 128)
        #expect(PromptShare(capacity: 32).tokens == 8)
    }

    @Test func `A fast machine reads a quarter of a step`() {
        #expect(settled(step: .milliseconds(5), token: .microseconds(50)) == 128)
        #expect(settled(step: .zero, token: .zero) == 128)
    }

    @Test func `A slow machine does not let a reader wait too long`() {
        // 60 ms + 28 × 5 ms = 200 ms.
        let tokens = settled(step: .milliseconds(60), token: .milliseconds(5))
        #expect((27...28).contains(tokens))
    }

    @Test func `Steps that are slow already at most double`() {
        let tokens = settled(step: .milliseconds(500), token: .milliseconds(20))
        #expect((24...25).contains(tokens))
    }

    @Test func `There is always progress`() {
        #expect(settled(step: .milliseconds(100), token: .seconds(1)) == PromptShare.least)
        #expect(settled(step: .milliseconds(100), token: .seconds(1), capacity: 32) == 8)
    }

    @Test func `A prompt that is read alone shows the speed too`() {
        var share = PromptShare(capacity: 512)
        share.note(.milliseconds(100), promptTokens: 20, answers: 0)
        #expect(share.tokens == 40)
    }

    @Test func `A few tokens say nothing about the speed`() {
        var share = PromptShare(capacity: 512)
        share.note(.seconds(1), promptTokens: 2, answers: 0)
        #expect(share.tokens == 128)
    }

    @Test func `One slow step is forgotten`() {
        var share = PromptShare(capacity: 512)
        share.note(.seconds(10), promptTokens: 100, answers: 0)
        #expect(share.tokens == PromptShare.least)
        for _ in 0..<20 { share.note(.milliseconds(20), promptTokens: 16, answers: 0) }
        #expect(share.tokens == 128)
    }
}

#endif

// Streams: all of the bytes, the end, and readers that went away or do not read.

import Foundation
import GatewaySystem
import Testing

struct StreamDescriptorTests {
    @Test func `What is written to a pipe comes out of it, up to its end`() throws {
        let pipe = try GatewaySystem.Pipe()
        defer { pipe.readEnd.close() }
        try Array("hello".utf8).withUnsafeBytes { try pipe.writeEnd.write($0) }
        #expect(pipe.readEnd.hasInput(within: .zero))
        #expect(try pipe.readEnd.read(atMost: 2) == Array("he".utf8))
        pipe.writeEnd.close()
        #expect(try pipe.readEnd.read() == Array("llo".utf8))
        #expect(try pipe.readEnd.read() == [])
    }

    @Test func `An open pipe without a word in it has no input`() throws {
        let pipe = try GatewaySystem.Pipe()
        defer { for end in [pipe.readEnd, pipe.writeEnd] { end.close() } }
        #expect(!pipe.readEnd.hasInput(within: .milliseconds(1)))
    }

    @Test func `A stream that takes nothing is given up after the patience for it`() throws {
        let pipe = try GatewaySystem.Pipe()
        defer { for end in [pipe.readEnd, pipe.writeEnd] { end.close() } }
        #expect(fcntl(pipe.writeEnd.descriptor, F_SETFL, O_NONBLOCK) == 0)
        let bytes = [UInt8](repeating: 1, count: 1 << 20)
        #expect(throws: SystemError.wouldBlock) {
            try bytes.withUnsafeBytes { try pipe.writeEnd.write($0, patience: .milliseconds(1)) }
        }
    }

    @Test func `A number that belongs to no open stream is a bad descriptor`() {
        #expect(throws: SystemError.badDescriptor) { try StreamDescriptor(descriptor: -1).read() }
    }
}

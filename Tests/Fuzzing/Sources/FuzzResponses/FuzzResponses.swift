// Any bytes as an HTTP response: what this library's reader and NIO's both read, they read alike.

import GatewayWire

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponses(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    FuzzResponses.check(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

private enum FuzzResponses {
    /// - Parameter input: The size of the pieces in which the rest arrives, 0 for all of it at once, and the rest.
    static func check(_ input: [UInt8]) {
        guard let size = input.first else { return }
        let whole = Array(input.dropFirst())
        let pieces = cut(whole, size: Int(size))
        let ours = ResponseReading(here: pieces)
        // However the bytes arrive, they mean the same.
        precondition(ours == ResponseReading(here: [whole]), "pieces are read otherwise than the whole")
        guard let ours, let theirs = ResponseReading(byNIO: pieces), ours.isComplete, theirs.isComplete else { return }
        // Nobody asks an engine to change the protocol; to this library what follows is not HTTP, whatever it looks like.
        guard ours.status != 101 else { return }
        precondition(ours == theirs, "here: \(ours), by NIO: \(theirs)")
    }

    private static func cut(_ bytes: [UInt8], size: Int) -> [[UInt8]] {
        guard size > 0 else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }
}

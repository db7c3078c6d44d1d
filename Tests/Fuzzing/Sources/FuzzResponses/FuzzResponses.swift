// Any bytes as an HTTP response: this library's reader and NIO's read them alike, but for the known differences.

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
        let ours = ResponseVerdict(here: pieces)
        // However the bytes arrive, they mean the same.
        precondition(ours == ResponseVerdict(here: [whole]), "pieces are read otherwise than the whole")
        let theirs = ResponseVerdict(byNIO: pieces)
        if ResponseDifference.areAlike(ours, theirs) { return }
        let isKnown = ResponseDifference.all.contains { $0.explains(ours, theirs) }
        precondition(isKnown, "here: \(ours), by NIO: \(theirs)")
    }

    private static func cut(_ bytes: [UInt8], size: Int) -> [[UInt8]] {
        guard size > 0 else { return [bytes] }
        return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }
}

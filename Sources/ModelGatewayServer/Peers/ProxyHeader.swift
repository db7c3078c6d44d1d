// The header of the PROXY protocol, versions 1 and 2 (haproxy.org/download/2.8/doc/proxy-protocol.txt).

import GatewaySystem

/// What stands before the first byte of a client's own.
struct ProxyHeader: Equatable {
    /// The client; nil if the proxy speaks for itself, as for a check of its own, or does not know.
    let client: IPAddress?
    /// The size of the header in bytes.
    let length: Int

    /// What bytes have shown so far.
    enum Reading: Equatable {
        case incomplete
        case complete(ProxyHeader)
        case malformed
    }

    /// Reads a header at the beginning of bytes.
    static func read(_ bytes: some Collection<UInt8>) -> Reading {
        let bytes = Array(bytes)
        if bytes.prefix(signature.count).elementsEqual(signature.prefix(bytes.count)) { return readBinary(bytes) }
        if bytes.prefix(start.count).elementsEqual(start.prefix(bytes.count)) { return readText(bytes) }
        return .malformed
    }

    // MARK: Version 1

    private static let start = Array("PROXY ".utf8)
    private static let longestText = 107

    private static func readText(_ bytes: [UInt8]) -> Reading {
        guard let end = bytes.firstIndex(of: 0x0A) else { return bytes.count < longestText ? .incomplete : .malformed }
        guard end < longestText, end > 0, bytes[end - 1] == 0x0D else { return .malformed }
        let words = bytes[..<(end - 1)].split(separator: 0x20, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let length = end + 1
        if words.count > 1, words[1] == "UNKNOWN" { return .complete(ProxyHeader(client: nil, length: length)) }
        guard words.count == 6, ["TCP4", "TCP6"].contains(words[1]), words[4...5].allSatisfy(isPort),
            let client = address(words[2], words[1]), address(words[3], words[1]) != nil
        else { return .malformed }
        return .complete(ProxyHeader(client: client, length: length))
    }

    private static func address(_ text: String, _ family: String) -> IPAddress? {
        text.contains(":") == (family == "TCP6") && !text.contains("[") ? IPAddress(text) : nil
    }

    private static func isPort(_ text: String) -> Bool {
        guard let number = UInt16(text) else { return false }
        return "\(number)" == text
    }

    // MARK: Version 2

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private static func readBinary(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= 13 else { return .incomplete }
        guard bytes[12] == 0x20 || bytes[12] == 0x21 else { return .malformed }
        guard bytes.count >= 16 else { return .incomplete }
        let size = Int(bytes[14]) << 8 | Int(bytes[15])
        // Behind the addresses there may be more (TLVs), which says nothing here.
        let length = 16 + size
        let isLocal = bytes[12] == 0x20
        let width: Int? =
            switch bytes[13] {
            case 0x11, 0x12: 4
            case 0x21, 0x22: 16
            default: nil
            }
        if let width, !isLocal, size < 2 * width + 4 { return .malformed }
        guard bytes.count >= length else { return .incomplete }
        let client = isLocal ? nil : width.flatMap { IPAddress(bytes[16..<16 + $0]) }
        return .complete(ProxyHeader(client: client, length: length))
    }
}

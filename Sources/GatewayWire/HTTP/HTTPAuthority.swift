// Host and port, as they stand in a URL or in a `host` line (RFC 3986 §3.2).

/// The parts of an authority without user info. It is only split, which is quick; ``isValid`` looks at every byte.
package struct HTTPAuthority: Sendable, Hashable {
    /// The whole of it.
    package let text: Substring
    /// The host, with the brackets around an IPv6 address.
    package let host: Substring
    /// What is behind the host's colon; nil without one.
    package let portText: Substring?

    /// Splits a text into host and port.
    package init(_ text: Substring) {
        self.text = text
        let utf8 = text.utf8
        var end = utf8.firstIndex(of: UInt8(ascii: ":")) ?? utf8.endIndex
        if utf8.first == UInt8(ascii: "[") {
            // The colons of an IPv6 address are its own. What follows the bracket and is not a port spoils the host.
            let bracket = utf8.firstIndex(of: UInt8(ascii: "]")).map { utf8.index(after: $0) } ?? utf8.endIndex
            let isEnd = bracket == utf8.endIndex || utf8[bracket] == UInt8(ascii: ":")
            end = isEnd ? bracket : utf8.endIndex
        }
        host = text[..<end]
        portText = end == utf8.endIndex ? nil : text[utf8.index(after: end)...]
    }

    /// The host as names are resolved: without the brackets around an IPv6 address.
    package var name: Substring {
        guard host.utf8.first == UInt8(ascii: "["), host.utf8.last == UInt8(ascii: "]") else { return host }
        return host.dropFirst().dropLast()
    }

    /// The port; nil if there is none or one that is not from 1 to 65535.
    package var port: Int? {
        guard let portText, !portText.isEmpty, portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = Int(portText), (1...65_535).contains(port)
        else { return nil }
        return port
    }

    /// Whether there is a host of bytes that hosts have, and no port or one from 1 to 65535.
    package var isValid: Bool {
        if portText != nil, port == nil { return false }
        guard host.utf8.first == UInt8(ascii: "[") else {
            return !host.isEmpty && host.utf8.allSatisfy(Self.isNameByte)
        }
        // A zone such as `%25eth0` may follow the address (RFC 6874).
        let zone = name.utf8.firstIndex(of: UInt8(ascii: "%")) ?? name.utf8.endIndex
        return host.utf8.last == UInt8(ascii: "]") && name[..<zone].utf8.contains(UInt8(ascii: ":"))
            && name[..<zone].utf8.allSatisfy(Self.isAddressByte)
            && name[zone...].utf8.dropFirst().allSatisfy(Self.isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}

// A set of keys, compared so that the time taken tells nothing about them.

/// The keys that callers of one kind may present.
struct AccessKeys: Sendable {
    private let keys: [[UInt8]]

    init(_ keys: [String]) {
        self.keys = keys.filter { !$0.isEmpty }.map { Array($0.utf8) }
    }

    /// Whether no key is configured.
    var isEmpty: Bool { keys.isEmpty }

    /// Whether one of the keys is in the credentials.
    func admit(_ credentials: Credentials) -> Bool {
        if isEmpty { return false }
        if let token = credentials.authorization.flatMap(Self.bearerToken), contains(token) { return true }
        if let apiKey = credentials.apiKey, contains(Substring(apiKey)) { return true }
        return false
    }

    /// The token behind the scheme `Bearer`, whose case does not matter.
    private static func bearerToken(_ value: String) -> Substring? {
        guard value.utf8.count > 7, HeaderText.hasPrefix(value, "bearer ") else { return nil }
        return HeaderText.trimmed(Substring(value.utf8.dropFirst(7)))
    }

    /// Compares with every key to its end, so that the time depends on the lengths only.
    private func contains(_ candidate: Substring) -> Bool {
        let presented = Array(candidate.utf8)
        var found = false
        for key in keys {
            var difference: UInt8 = key.count == presented.count ? 0 : 1
            for (offset, byte) in presented.enumerated() {
                difference |= byte ^ key[offset % key.count]
            }
            found = (difference == 0) || found
        }
        return found
    }
}

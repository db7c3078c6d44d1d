// The keys that let a client in, compared so that the time taken tells nothing about them.

/// The set of keys that clients may present.
struct AccessKeys: Sendable {
    private let keys: [[UInt8]]

    init(_ keys: [String]) {
        self.keys = keys.filter { !$0.isEmpty }.map { Array($0.utf8) }
    }

    /// Whether everybody is let in because no key is configured.
    var isOpen: Bool { keys.isEmpty }

    /// Whether the request's credentials let it in.
    /// - Parameters:
    ///   - authorization: The value of the `Authorization` header, if there is one.
    ///   - apiKey: The value of the `x-api-key` header, if there is one.
    func admit(authorization: String?, apiKey: String?) -> Bool {
        if isOpen { return true }
        if let token = authorization.flatMap(Self.bearerToken), contains(token) { return true }
        if let apiKey, contains(Substring(apiKey)) { return true }
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

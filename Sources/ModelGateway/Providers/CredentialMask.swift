// Our own credentials, struck out wherever an upstream repeats them.

/// Finds the credentials that are sent to an upstream in what it says of a failure.
package struct CredentialMask: Sendable {
    /// The longest first: one may be a part of another.
    private let secrets: [[UInt8]]

    private static let mask = Array("***".utf8)
    /// Shorter ones are words of their own, and nobody's secret.
    private static let leastLength = 4

    /// - Parameter headers: The header lines that are sent with each request.
    package init(_ headers: [HTTPHeader]) {
        var secrets: Set<[UInt8]> = []
        for header in headers where !Self.isKnownToAll(header) {
            secrets.insert(Array(header.value.utf8))
            // Behind the name of a scheme, as in `Bearer KEY`.
            if let token = header.value.split(separator: " ").last { secrets.insert(Array(token.utf8)) }
        }
        self.secrets = secrets.filter { $0.count >= Self.leastLength }.sorted { $0.count > $1.count }
    }

    /// Lines whose values are not secret, and occur in many sentences.
    private static func isKnownToAll(_ header: HTTPHeader) -> Bool {
        ["content-type", "accept", "accept-encoding", "accept-language", "user-agent"].contains(where: header.isNamed)
    }

    /// The error without the credentials.
    package func masked(_ error: GatewayError) -> GatewayError {
        guard !secrets.isEmpty else { return error }
        var masked = error
        masked.message = self.masked(error.message)
        if let param = error.param { masked.param = self.masked(param) }
        if var upstream = error.upstream {
            upstream.body = self.masked(upstream.body)
            upstream.code = upstream.code.map(self.masked)
            upstream.type = upstream.type.map(self.masked)
            masked.upstream = upstream
        }
        return masked
    }

    private func masked(_ text: String) -> String {
        String(decoding: masked(Array(text.utf8)), as: UTF8.self)
    }

    private func masked(_ text: [UInt8]) -> [UInt8] {
        secrets.reduce(text) { text, secret in Self.replacing(secret, in: text) }
    }

    private static func replacing(_ secret: [UInt8], in text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var start = 0
        var index = 0
        while index + secret.count <= text.count {
            guard text[index] == secret[0], text[index...].starts(with: secret) else {
                index += 1
                continue
            }
            output += text[start..<index] + mask
            index += secret.count
            start = index
        }
        return start == 0 ? text : output + text[start...]
    }
}

/// A provider that sends credentials.
package protocol CredentialHolder: Provider {
    /// What hides them.
    var credentials: CredentialMask { get }
}

extension Provider {
    /// An error without the credentials that this provider sends.
    func masked(_ error: GatewayError) -> GatewayError {
        (self as? any CredentialHolder)?.credentials.masked(error) ?? error
    }
}

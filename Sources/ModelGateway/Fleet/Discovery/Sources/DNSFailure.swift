// Why DNS gave no workers.

/// Why a name could not be resolved.
package struct DNSFailure: Error, Hashable {
    package var reason: String

    package init(reason: String) {
        self.reason = reason
    }
}

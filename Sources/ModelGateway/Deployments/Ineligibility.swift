// The reasons against sending calls to a deployment, as a set that each call can look at.

/// Why a deployment gets no calls at the moment.
package struct Ineligibility: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The slot is empty.
    static let absent = Ineligibility(rawValue: 1 << 0)
    package static let standby = Ineligibility(rawValue: 1 << 1)
    package static let unhealthy = Ineligibility(rawValue: 1 << 2)
    package static let breakerOpen = Ineligibility(rawValue: 1 << 3)
    package static let coolingDown = Ineligibility(rawValue: 1 << 4)
    package static let misconfigured = Ineligibility(rawValue: 1 << 5)
    package static let overloaded = Ineligibility(rawValue: 1 << 6)
    package static let draining = Ineligibility(rawValue: 1 << 7)
    package static let saturated = Ineligibility(rawValue: 1 << 8)

    private static let all: [(Ineligibility, IneligibilityReason)] = [
        (.standby, .standby), (.unhealthy, .unhealthy), (.breakerOpen, .breakerOpen), (.coolingDown, .coolingDown),
        (.misconfigured, .misconfigured), (.overloaded, .overloaded), (.draining, .draining), (.saturated, .saturated),
    ]

    /// The reasons in a fixed order.
    package var reasons: [IneligibilityReason] { Self.all.filter { contains($0.0) }.map(\.1) }

    /// The reasons as people read them.
    var words: [String] { reasons.map { $0.rawValue.replacing("_", with: " ") } }
}

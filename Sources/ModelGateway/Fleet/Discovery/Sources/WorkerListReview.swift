// Whether a source's list of workers may replace the previous one.

/// Believes a list that would remove all workers at once only if a second look shows the same: a file that is being
/// written, or a resolver that has lost its data, looks like that for a moment. Workers that such a list adds may
/// be used at once.
struct WorkerListReview: Sendable {
    /// The least time until the second look.
    static let secondLook = Duration.seconds(2)

    private var current: [WorkerAddress] = []
    private var doubted: Set<String>?

    /// Makes the next list that would remove everything count as the first of its kind.
    mutating func forgetDoubt() {
        doubted = nil
    }

    /// Looks at a list.
    /// - Returns: The list to report, if any, and whether there must be a second look.
    mutating func review(_ list: [WorkerAddress]) -> (report: [WorkerAddress]?, needsSecondLook: Bool) {
        let ids = Set(list.map(\.id))
        let losesAll = !current.isEmpty && ids.isDisjoint(with: current.map(\.id))
        guard losesAll, doubted != ids else {
            current = list
            doubted = nil
            return (list, false)
        }
        doubted = ids
        return (list.isEmpty ? nil : current + list, true)
    }
}

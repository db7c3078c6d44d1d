// Whether deployments are probed; the other settings of reliability are the types of that room itself.

extension Configuration {
    /// How to find out whether deployments are up.
    public struct Health: Sendable, Hashable {
        /// Whether they are probed. Default true; real traffic counts in any case.
        public var enabled: Bool
        /// How they are probed.
        public var options: HealthOptions

        /// Creates the settings of health probes.
        public init(enabled: Bool = true, options: HealthOptions = HealthOptions()) {
            self.enabled = enabled
            self.options = options
        }
    }
}

// The live fleet: the running groups by the public names of their models.

package import CoreMetrics
import GatewayWire
import Synchronization

/// All groups of a gateway.
package final class Fleet: Sendable {
    private let groups: Lock<[String: GroupState]>
    private let time: TimeSource
    /// News for the fleet's prober.
    let probeNews: ProbeNews
    /// What the log should say.
    let journal: FleetJournal
    let series: FleetSeries
    let gauges: FleetGauges
    let unknownModels = UnknownModels()

    /// Starts a fleet.
    /// - Parameters:
    ///   - configurations: The groups.
    ///   - time: The clock.
    ///   - metrics: What makes the counters and gauges; by default the program's own backend.
    package init(
        _ configurations: [DeploymentGroup] = [],
        time: TimeSource = .system,
        metrics: any MetricsFactory = MetricsSystem.factory
    ) {
        let probeNews = ProbeNews()
        let journal = FleetJournal()
        let series = FleetSeries(factory: metrics, time: time)
        var groups: [String: GroupState] = [:]
        for configuration in configurations {
            groups[configuration.model] = GroupState(
                configuration,
                time: time,
                series: series,
                probeNews: probeNews,
                journal: journal
            )
        }
        self.probeNews = probeNews
        self.journal = journal
        self.groups = Lock(groups)
        self.time = time
        self.series = series
        gauges = FleetGauges(factory: metrics)
    }

    /// The group behind a public model name.
    /// - Throws: ``GatewayError/Code/modelNotFound``, or ``GatewayError/Code/unavailable`` if the model may appear
    ///   soon.
    package func group(_ model: String) throws(GatewayError) -> GroupState {
        if let group = groups.withLock({ $0[model] }) { return group }
        throw unknownModels.error(for: model, now: time.now())
    }

    /// The group behind a public model name, if there is one.
    func existingGroup(_ model: String) -> GroupState? { groups.withLock { $0[model] } }

    /// The public names of all models, in alphabetical order.
    package var models: [String] { groups.withLock { $0.keys.sorted() } }

    /// All groups, by the names of their models.
    package var allGroups: [GroupState] { groups.withLock { Array($0.values) }.sorted { $0.model < $1.model } }

    /// Whether some deployment can take a call, now or once one in flight has ended.
    package var isReady: Bool {
        allGroups.contains { group in
            group.status.deployments.contains { $0.isEligible || $0.reasons == [.saturated] }
        }
    }

    /// Whether the policy of a model's group looks at the prompt.
    package func readsText(_ model: String) -> Bool {
        groups.withLock { $0[model] }?.readsText ?? false
    }

    /// The state of all groups.
    package var status: [GroupStatus] { allGroups.map(\.status) }

    /// The group that has a deployment.
    package func group(of deployment: String) -> GroupState? {
        allGroups.first { $0.status(of: deployment) != nil }
    }

    /// Applies new settings to the whole fleet. Groups and deployments that stay keep what was learned about them.
    package func apply(_ configurations: [DeploymentGroup]) {
        groups.withLock { groups in
            let names = Set(configurations.map(\.model))
            for (name, group) in groups where !names.contains(name) {
                group.dissolve()
                groups[name] = nil
            }
            for configuration in configurations {
                if let group = groups[configuration.model] {
                    group.apply(configuration)
                } else {
                    groups[configuration.model] = newGroup(configuration)
                }
            }
        }
    }

    private func newGroup(_ configuration: DeploymentGroup) -> GroupState {
        GroupState(configuration, time: time, series: series, probeNews: probeNews, journal: journal)
    }

    /// Adds a deployment to its model's group, or gives the one with its id new settings.
    /// - Parameters:
    ///   - model: The public name of the model.
    ///   - template: The settings of the group if there is none for the model yet.
    package func set(_ deployment: Deployment, of model: String, template: DeploymentGroup) {
        let group = groups.withLock { groups in
            if let group = groups[model] { return group }
            var configuration = template
            configuration.model = model
            // A call that sees the model must find its deployment, too.
            configuration.deployments = [deployment]
            let group = newGroup(configuration)
            groups[model] = group
            return group
        }
        group.set(deployment)
    }

    /// Removes a group whose last deployment is gone, so that its model is unknown again.
    package func removeIfEmpty(_ model: String) {
        groups.withLock { groups in
            guard let group = groups[model], group.deployments.isEmpty else { return }
            group.dissolve()
            groups[model] = nil
            unknownModels.lost(model, now: time.now())
        }
    }
}

// What there is to probe: which deployments are new or are to be probed differently, reported as it happens.

import GatewayWire
import Synchronization

/// A deployment, as the prober knows it.
struct ProbeSubject: Sendable, Hashable {
    /// The public name of the group's model.
    let model: String
    /// The deployment's id.
    let id: String
    /// The number that no other deployment of the process has.
    let number: UInt64
}

/// What a probe should find out.
package struct ProbeQuestion: Sendable {
    /// The deployment to ask.
    package let deployment: Deployment
    package let options: HealthOptions
    /// Whether calls have cast doubt on the credentials: then they must be checked, too.
    package let asksForCredentials: Bool

    /// Creates a question.
    package init(deployment: Deployment, options: HealthOptions, asksForCredentials: Bool = false) {
        self.deployment = deployment
        self.options = options
        self.asksForCredentials = asksForCredentials
    }
}

/// Collects news for one prober, so that it need not scan the whole fleet for it.
final class ProbeNews: Sendable {
    private struct State {
        var isWatched = false
        var subjects: [ProbeSubject] = []
    }

    private let state = Lock(State())
    /// Models that calls have found missing.
    let missing = MissingModels()
    /// Sent when there is something to take, and when the prober's own plans have changed.
    let changed = Signal()

    /// Starts or stops collecting; nothing is kept while nobody probes.
    func watch(_ isWatched: Bool) {
        state.withLock { $0 = State(isWatched: isWatched) }
    }

    /// Reports a deployment that is new, or whose probes have new settings.
    func tell(_ subject: ProbeSubject) {
        let isWatched = state.withLock { state in
            if state.isWatched { state.subjects.append(subject) }
            return state.isWatched
        }
        if isWatched { changed.send() }
    }

    /// Takes all news.
    func take() -> [ProbeSubject] {
        state.withLock { state in
            defer { state.subjects = [] }
            return state.subjects
        }
    }
}

extension GroupCore {
    /// How a deployment is probed; nil for not at all.
    func probes(of slot: Int) -> HealthOptions? {
        let options = members[slot].record.deployment.health ?? configuration.health
        return options.enabled ? options : nil
    }

    /// Forgets the verdict of probes that will not come again: nothing else would take it back.
    mutating func forgetHealthIfUnprobed(_ slot: Int) {
        guard probes(of: slot) == nil else { return }
        members[slot].health = HealthState()
        change(slot, removing: .unhealthy)
    }
}

extension GroupState {
    /// All deployments that the group probes.
    var probeSubjects: [ProbeSubject] {
        update { core, _ in
            core.present.filter { core.probes(of: $0) != nil }.map { slot in
                let record = core.members[slot].record
                return ProbeSubject(model: model, id: record.deployment.id, number: record.number)
            }
        }
    }

    /// What a subject's next probe needs; nil if it is gone or not probed any more.
    func probe(of subject: ProbeSubject) -> ProbeQuestion? {
        update { core, _ in
            guard let slot = core.slot(of: subject), let options = core.probes(of: slot) else { return nil }
            return ProbeQuestion(
                deployment: core.members[slot].record.deployment,
                options: options,
                asksForCredentials: core.hasDoubts(slot)
            )
        }
    }

    /// Notes a probe's result, as far as it has one, and returns the time until the next one; nil if there is none.
    func probed(_ subject: ProbeSubject, succeeded: Bool?, credentials: CredentialFinding) -> Duration? {
        update { core, now in
            guard let slot = core.slot(of: subject) else { return nil }
            if let succeeded { core.probed(slot, succeeded: succeeded) }
            core.probed(slot, credentials: credentials, now: now)
            return core.probes(of: slot).map { options in
                core.members[slot].health.pause(options, variation: core.random.variation())
            }
        }
    }
}

extension GroupCore {
    /// The slot of a subject, if it is still the same deployment.
    fileprivate func slot(of subject: ProbeSubject) -> Int? {
        slots[subject.id].flatMap { members[$0].number == subject.number ? $0 : nil }
    }
}

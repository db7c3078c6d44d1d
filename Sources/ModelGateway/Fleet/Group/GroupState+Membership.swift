// Adding, changing and removing deployments while a group runs.

internal import Synchronization

extension GroupState {
    /// The state of the group and its deployments.
    package var status: GroupStatus { update { core, now in core.status(now: now) } }

    /// The state of one deployment; nil if the group does not have it.
    package func status(of id: String) -> DeploymentStatus? {
        update { core, now in core.slots[id].map { core.status(of: $0, now: now) } }
    }

    /// The deployments.
    package var deployments: [Deployment] {
        update { core, _ in core.present.map { core.members[$0].record.deployment } }
    }

    /// Adds a deployment, or gives the one with its id new settings.
    package func set(_ deployment: Deployment) {
        update { core, _ in core.set(deployment, number: Self.nextNumber) }
    }

    /// Changes the settings of a deployment. Returns false if the group does not have it.
    @discardableResult
    package func change(_ id: String, _ change: (inout Deployment) -> Void) -> Bool {
        updateSlot(of: id) { core, slot, _ in
            var deployment = core.members[slot].record.deployment
            change(&deployment)
            deployment.id = id
            core.set(deployment, number: Self.nextNumber)
        }
    }

    /// Removes a deployment at once; calls in flight on it continue, but are no longer counted. Returns false if
    /// the group does not have it.
    @discardableResult
    package func remove(_ id: String) -> Bool {
        updateSlot(of: id) { core, slot, _ in core.remove(slot) }
    }

    /// Removes all deployments, because nobody can call the group any more; see ``remove(_:)``. Idempotent.
    func dissolve() {
        update { core, _ in
            for slot in Array(core.present) { core.remove(slot) }
        }
        let isFirst = !isDissolved.exchange(true, ordering: .relaxed)
        if isFirst { series.release(model: model) }
    }

    /// Sends no more calls to a deployment and removes it when those in flight have ended, or at a deadline. Returns
    /// false if the group does not have it.
    @discardableResult
    package func drain(_ id: String, within limit: Duration) -> Bool {
        let found = updateSlot(of: id) { core, slot, now in core.drain(slot, until: now + limit) }
        guard found else { return false }
        Task { [weak self, time] in
            // Nobody cancels this task, so its sleep does not throw.
            try? await time.sleep(limit)
            self?.update { _, _ in }
        }
        return true
    }

    /// Returns a draining deployment to service. Returns false if the group does not have it.
    @discardableResult
    package func stopDraining(_ id: String) -> Bool {
        updateSlot(of: id) { core, slot, _ in core.stopDraining(slot) }
    }

    /// Notes the result of a health probe.
    package func probed(_ id: String, succeeded: Bool, credentials: CredentialFinding = .unknown) {
        updateSlot(of: id) { core, slot, now in
            core.probed(slot, succeeded: succeeded)
            core.probed(slot, credentials: credentials, now: now)
        }
    }

    /// Notes what an engine reports about its load, which is trusted for a while; nil if it could not be asked.
    package func reported(_ id: String, _ load: EngineLoad?, validFor: Duration = .seconds(30)) {
        updateSlot(of: id) { core, slot, now in core.reported(slot, load, until: now + validFor) }
    }

    /// Changes the state of a deployment. Returns false if the group does not have it.
    @discardableResult
    private func updateSlot(
        of id: String,
        _ body: (inout GroupCore, _ slot: Int, _ now: MonotonicInstant) -> Void
    ) -> Bool {
        update { core, now in
            guard let slot = core.slots[id] else { return false }
            body(&core, slot, now)
            return true
        }
    }
}

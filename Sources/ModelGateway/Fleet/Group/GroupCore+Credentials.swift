// The part of a group that learns whether upstreams accept the gateway's credentials.

/// What a probe has shown about a deployment's credentials.
package enum CredentialFinding: Sendable, Hashable {
    /// Nothing: it was made without them, or at an endpoint that does not check them.
    case unknown
    /// They were accepted.
    case accepted
    /// They were rejected (401, 403).
    case rejected
}

extension GroupCore {
    // How long a deployment with doubtful credentials rests while others take its calls.
    private static let doubtfulRest = Duration.seconds(1)

    /// Whether a probe should be made with the credentials.
    func hasDoubts(_ slot: Int) -> Bool {
        modes.indices.contains { members[slot].modeHealth[$0].credentials.phase != .accepted }
    }

    mutating func noteAcceptance(_ slot: Int, _ modeIndex: Int, isTrial: Bool) {
        guard !members[slot].modeHealth[modeIndex].credentials.isProven,
            members[slot].modeHealth[modeIndex].credentials.succeed(isTrial: isTrial)
        else { return }
        events.append(.credentials(members[slot].record, modes[modeIndex], areAccepted: true))
    }

    mutating func noteRejection(_ slot: Int, _ modeIndex: Int, isTrial: Bool, now: MonotonicInstant) {
        let variation = random.variation()
        if members[slot].modeHealth[modeIndex].credentials.reject(isTrial: isTrial, now: now, variation: variation) {
            leaveForCredentials(slot, modeIndex)
        } else if members[slot].modeHealth[modeIndex].credentials.phase == .doubted {
            // The only one is not taken out for what may be the fault of a single request.
            if hasOthers(slot, modeIndex) { rest(slot, modeIndex, until: now + Self.doubtfulRest) }
            events.append(.credentialsDoubted(members[slot].record))
        }
    }

    /// Notes what a probe has shown about the credentials, if anything.
    mutating func probed(_ slot: Int, credentials finding: CredentialFinding, now: MonotonicInstant) {
        guard finding != .unknown else { return }
        for modeIndex in modes.indices {
            if finding == .accepted {
                guard members[slot].modeHealth[modeIndex].credentials.probeAccepted() else { continue }
                change(slot, modeIndex, removing: .misconfigured)
                noteSaturation(slot, modeIndex)
                events.append(.credentials(members[slot].record, modes[modeIndex], areAccepted: true))
            } else {
                let variation = random.variation()
                if members[slot].modeHealth[modeIndex].credentials.probeRejected(now: now, variation: variation) {
                    leaveForCredentials(slot, modeIndex)
                }
                nextEvent = min(nextEvent, members[slot].modeHealth[modeIndex].credentials.nextTrial)
            }
        }
    }

    private mutating func leaveForCredentials(_ slot: Int, _ modeIndex: Int) {
        change(slot, modeIndex, adding: .misconfigured)
        nextEvent = min(nextEvent, members[slot].modeHealth[modeIndex].credentials.nextTrial)
        events.append(.credentials(members[slot].record, modes[modeIndex], areAccepted: false))
    }
}

/// What policy says of one version.
package enum Decision: String, Hashable, Sendable, Codable, CaseIterable {
    case allow
    /// Usable, and marked for those who look.
    case flag
    /// Held back until someone releases it, or its time comes.
    case quarantine
    case block

    /// Whether resolvers are told to pass the version over, and downloads are refused.
    package var isWithheld: Bool { self == .quarantine || self == .block }
}

/// One rule that held for a version, and why.
package struct PolicyReason: Hashable, Sendable, Codable {
    /// The rule's name.
    package let rule: String
    package let decision: Decision
    /// The rule's own words.
    package let reason: String
    /// What of the version made it hold: `RUSTSEC-2021-0003 is critical (9.8)`.
    package let because: String

    package init(rule: String, decision: Decision, reason: String, because: String) {
        self.rule = rule
        self.decision = decision
        self.reason = reason
        self.because = because
    }
}

/// An engine's word on one version.
package struct Judgement: Hashable, Sendable {
    package let decision: Decision
    /// In the order of the rules: flags first, then the one that decided. Empty if no rule held.
    package let reasons: [PolicyReason]
    /// Rules that would have held, but for an exception.
    package let excepted: [String]
    /// When the clock alone may change this: seconds since 1970; nil if it can't.
    package let decideAgainAt: Int?
    /// The decision rests on something that only the version's file can tell, which is not here yet.
    package let awaitsFile: Bool
    /// The upstream yanked the version so lately that nobody follows it yet: it is served as if it were not yanked.
    package let holdsYank: Bool

    package init(
        _ decision: Decision, reasons: [PolicyReason] = [], excepted: [String] = [], decideAgainAt: Int? = nil,
        awaitsFile: Bool = false, holdsYank: Bool = false
    ) {
        self.decision = decision
        self.reasons = reasons
        self.excepted = excepted
        self.decideAgainAt = decideAgainAt
        self.awaitsFile = awaitsFile
        self.holdsYank = holdsYank
    }

    /// The one that decided; nil if none did.
    package var decisive: PolicyReason? { reasons.last { $0.decision == decision } }
}

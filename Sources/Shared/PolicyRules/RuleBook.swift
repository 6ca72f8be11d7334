package import Facts
import Registry

/// The engine behind a `PolicyFile`. Pure.
package struct RuleBook: PolicyEngine {
    package let file: PolicyFile

    package init(_ file: PolicyFile) { self.file = file }

    package func judge(_ versions: [VersionFacts], releases: [PolicyRelease], at now: Int) -> [Judgement] {
        let released = Set(releases)
        return versions.map { judge($0, released: released, at: now) }
    }

    /// - Parameters:
    ///   - released: of any versions.
    ///   - now: seconds since 1970.
    package func judge(_ facts: VersionFacts, released: Set<PolicyRelease> = [], at now: Int) -> Judgement {
        var trial = Trial(file, facts, released, now)
        for rule in file.rules where trial.isOver(after: rule) { break }
        return trial.judgement
    }
}

/// One version on its way through the rules.
private struct Trial {
    private let file: PolicyFile
    private let facts: VersionFacts
    private let released: Set<PolicyRelease>
    private let now: Int
    private let crate: CrateName?
    private let version: Version?
    private var reasons: [PolicyReason] = []
    private var excepted: [String] = []
    private var times: [Int] = []
    private var decision: Decision?
    private var isGuess = false

    init(_ file: PolicyFile, _ facts: VersionFacts, _ released: Set<PolicyRelease>, _ now: Int) {
        self.file = file
        self.facts = facts
        self.released = released
        self.now = now
        crate = try? CrateName(facts.name)
        version = try? Version(facts.version)
    }

    /// - Returns: true if the rule has decided.
    mutating func isOver(after rule: PolicyRule) -> Bool {
        guard rule.isAbout(facts, crate), let holding = holding(rule) else { return false }
        // What nobody knows speaks against a version, never for it.
        if holding.isGuess, rule.decision == .allow { return false }
        if isReleased(from: rule) {
            excepted.append(rule.name)
            return false
        }
        if let expires = exception(from: rule) {
            excepted.append(rule.name)
            times.append(expires)
            return false
        }
        if let until = holding.until { times.append(until) }
        reasons.append(
            PolicyReason(rule: rule.name, decision: rule.decision, reason: rule.reason, because: holding.because))
        guard rule.decision != .flag else { return false }
        (decision, isGuess) = (rule.decision, holding.isGuess)
        return true
    }

    var judgement: Judgement {
        let decision = self.decision ?? (reasons.isEmpty ? .allow : .flag)
        let yankEnds = yankHeldUntil
        return Judgement(
            decision, reasons: reasons, excepted: excepted,
            decideAgainAt: (times + (yankEnds.map { [$0] } ?? [])).min(), awaitsFile: decision.isWithheld && isGuess,
            holdsYank: yankEnds != nil)
    }

    private var yankHeldUntil: Int? {
        guard let cooldown = file.yankCooldown, facts.yank.isYanked, facts.yank.by == .upstream,
            let since = facts.yank.since.flatMap(UnixTime.seconds), since + cooldown > now
        else { return nil }
        return since + cooldown
    }

    /// All conditions together; it ends with the first of them that ends.
    private func holding(_ rule: PolicyRule) -> PolicyCondition.Holding? {
        var because: [String] = []
        var all = PolicyCondition.Holding(because: "")
        for condition in rule.conditions {
            guard let holding = condition.holds(for: facts, crate, at: now) else { return nil }
            because.append(holding.because)
            if let end = holding.until { all.until = min(all.until ?? end, end) }
            if holding.isGuess { all.isGuess = true }
        }
        return PolicyCondition.Holding(
            because: because.joined(separator: "; "), until: all.until, isGuess: all.isGuess)
    }

    private func isReleased(from rule: PolicyRule) -> Bool {
        guard rule.decision == .quarantine, !released.isEmpty, let version else { return false }
        return released.contains(
            PolicyRelease(identity: facts.identity, version: version.bare, rule: rule.name))
    }

    /// - Returns: when the exception from the rule ends; nil without one.
    private func exception(from rule: PolicyRule) -> Int? {
        guard let crate, let version else { return nil }
        return file.exceptions(from: rule.name, for: crate, version, at: now).map(\.expires).max()
    }
}

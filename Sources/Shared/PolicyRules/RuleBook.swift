package import Facts
import Registry

/// The engine behind a `PolicyFile`. Pure.
package struct RuleBook: PolicyEngine {
    package let file: PolicyFile

    package init(_ file: PolicyFile) { self.file = file }

    package func judge(_ versions: [VersionFacts], at now: Int) -> [Judgement] {
        versions.map { judge($0, at: now) }
    }

    /// - Parameter now: seconds since 1970.
    package func judge(_ facts: VersionFacts, at now: Int) -> Judgement {
        let crate = try? CrateName(facts.name)
        var reasons: [PolicyReason] = []
        var excepted: [String] = []
        var times: [Int] = []
        for rule in file.rules where rule.isAbout(facts, crate) {
            guard let holding = holding(rule, facts, crate, at: now) else { continue }
            if let expires = exception(from: rule, facts, crate, at: now) {
                excepted.append(rule.name)
                times.append(expires)
                continue
            }
            if let until = holding.until { times.append(until) }
            reasons.append(
                PolicyReason(rule: rule.name, decision: rule.decision, reason: rule.reason, because: holding.because))
            guard rule.decision == .flag else {
                return Judgement(rule.decision, reasons: reasons, excepted: excepted, decideAgainAt: times.min())
            }
        }
        return Judgement(
            reasons.isEmpty ? .allow : .flag, reasons: reasons, excepted: excepted, decideAgainAt: times.min())
    }

    /// All conditions together; it ends with the first of them that ends.
    private func holding(
        _ rule: PolicyRule, _ facts: VersionFacts, _ crate: CrateName?, at now: Int
    ) -> PolicyCondition.Holding? {
        var because: [String] = []
        var until: Int?
        for condition in rule.conditions {
            guard let holding = condition.holds(for: facts, crate, at: now) else { return nil }
            because.append(holding.because)
            if let end = holding.until { until = min(until ?? end, end) }
        }
        return PolicyCondition.Holding(because: because.joined(separator: "; "), until: until)
    }

    /// - Returns: when the exception from the rule ends; nil without one.
    private func exception(
        from rule: PolicyRule, _ facts: VersionFacts, _ crate: CrateName?, at now: Int
    ) -> Int? {
        guard let crate, let version = try? Version(facts.version) else { return nil }
        return file.exceptions.filter { $0.expires > now && $0.covers(rule.name, crate, version) }.map(\.expires).max()
    }
}

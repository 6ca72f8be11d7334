package import Facts
package import Registry

/// The rules of a repository, as people keep them: one TOML file in version control.
///
/// Rules are tried in order. The first that holds and says `allow`, `quarantine` or `block` decides; rules that say `flag` are
/// noted on the way. If none decides, the version is usable. How the file is written: docs/POLICY.md.
package struct PolicyFile: Hashable, Sendable {
    package static let format = 1
    package static let rulesMax = 500
    package static let exceptionsMax = 5_000

    /// Whom to ask about a refusal; part of every one.
    package let ask: String
    package let rules: [PolicyRule]
    package let exceptions: [PolicyException]
    /// An upstream's yank is followed when it is so old, in seconds; nil: at once.
    package let yankCooldown: Int?

    package init(ask: String, rules: [PolicyRule], exceptions: [PolicyException], yankCooldown: Int? = nil) {
        self.ask = ask
        self.rules = rules
        self.exceptions = exceptions
        self.yankCooldown = yankCooldown
    }

    /// The exceptions that keep a rule from a version at a time, in seconds since 1970.
    package func exceptions(from rule: String, for crate: CrateName, _ version: Version, at now: Int)
        -> [PolicyException]
    {
        exceptions.filter { $0.expires > now && $0.covers(rule, crate, version) }
    }
}

/// One rule: what it is about, what must hold, what follows.
package struct PolicyRule: Hashable, Sendable {
    package let name: String
    package let decision: Decision
    /// Goes into the refusal that cargo prints.
    package let reason: String
    /// Empty: every repository.
    package let repositories: [String]
    /// Empty: every crate.
    package let crates: [CratePattern]
    /// Ways a version came here, or names of upstreams; empty: all.
    package let sources: [String]
    /// All of them must hold; without any the rule holds for all that it is about.
    package let conditions: [PolicyCondition]

    package init(
        name: String, decision: Decision, reason: String, repositories: [String] = [], crates: [CratePattern] = [],
        sources: [String] = [], conditions: [PolicyCondition]
    ) {
        self.name = name
        self.decision = decision
        self.reason = reason
        self.repositories = repositories
        self.crates = crates
        self.sources = sources
        self.conditions = conditions
    }

    func isAbout(_ facts: VersionFacts, _ crate: CrateName?) -> Bool {
        guard repositories.isEmpty || repositories.contains(facts.repository) else { return false }
        guard crates.isEmpty || crate.map({ crate in crates.contains { $0.covers(crate) } }) ?? false else {
            return false
        }
        return sources.isEmpty || sources.contains(facts.origin.kind.rawValue)
            || facts.origin.upstream.map(sources.contains) ?? false
    }
}

/// Rules that do not count for some versions, for a while and for a reason.
package struct PolicyException: Hashable, Sendable {
    package let crate: CratePattern
    /// Nil: every version.
    package let versions: VersionRequirement?
    package let rules: [String]
    package let reason: String
    /// Who answers for it.
    package let owner: String
    /// Seconds since 1970; it ends then.
    package let expires: Int

    package init(
        crate: CratePattern, versions: VersionRequirement?, rules: [String], reason: String, owner: String, expires: Int
    ) {
        self.crate = crate
        self.versions = versions
        self.rules = rules
        self.reason = reason
        self.owner = owner
        self.expires = expires
    }

    func covers(_ rule: String, _ crate: CrateName, _ version: Version) -> Bool {
        guard rules.contains(rule), self.crate.covers(crate) else { return false }
        guard let versions else { return true }
        // `1.2.0-rc.1` is meant by `1.2`, too: an exception speaks of what somebody has, not of what to choose.
        let release = try? Version("\(version.major).\(version.minor).\(version.patch)")
        return versions.matches(version) || release.map(versions.matches) ?? false
    }
}

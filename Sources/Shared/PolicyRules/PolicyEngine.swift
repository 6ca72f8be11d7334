package import Facts

/// Takes facts and gives decisions with reasons, many versions at once.
///
/// Nothing but the facts and the time goes in, so equal input gives equal decisions, and an engine may live in another process:
/// `PolicyInput` is then what is sent.
package protocol PolicyEngine: Sendable {
    /// - Parameters:
    ///   - releases: of quarantined versions among these.
    ///   - now: seconds since 1970.
    /// - Returns: one judgement for each version, in the same order.
    func judge(_ versions: [VersionFacts], releases: [PolicyRelease], at now: Int) async throws -> [Judgement]
}

/// Somebody looked at a quarantined version and let it go: the rule counts no more for it.
package struct PolicyRelease: Hashable, Sendable, Codable {
    /// Lower case, `-` read as `_`.
    package let identity: String
    /// Without build metadata.
    package let version: String
    package let rule: String

    package init(identity: String, version: String, rule: String) {
        self.identity = identity
        self.version = version
        self.rule = rule
    }
}

/// The document that an engine is given: stable JSON, described in docs/POLICY.md.
package struct PolicyInput: Hashable, Sendable, Codable {
    /// The value of `schema`; another number would mean another contract.
    package static let schema = "longshore.policy-input/1"

    package let schema: String
    /// UTC, whole seconds, `2026-08-21T07:05:09Z`.
    package let now: String
    package let versions: [VersionFacts]
    package let releases: [PolicyRelease]

    package init(now: String, versions: [VersionFacts], releases: [PolicyRelease] = []) {
        schema = Self.schema
        self.now = now
        self.versions = versions
        self.releases = releases
    }
}

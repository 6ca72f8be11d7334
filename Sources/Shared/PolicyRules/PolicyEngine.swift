package import Facts

/// Takes facts and gives decisions with reasons, many versions at once.
///
/// Nothing but the facts and the time goes in, so equal input gives equal decisions, and an engine may live in another process:
/// `PolicyInput` is then what is sent.
package protocol PolicyEngine: Sendable {
    /// - Parameter now: seconds since 1970.
    /// - Returns: one judgement for each version, in the same order.
    func judge(_ versions: [VersionFacts], at now: Int) async throws -> [Judgement]
}

/// The document that an engine is given: stable JSON, described in docs/POLICY.md.
package struct PolicyInput: Hashable, Sendable, Codable {
    /// The value of `schema`; another number would mean another contract.
    package static let schema = "longshore.policy-input/1"

    package let schema: String
    /// UTC, whole seconds, `2026-08-21T07:05:09Z`.
    package let now: String
    package let versions: [VersionFacts]

    package init(now: String, versions: [VersionFacts]) {
        schema = Self.schema
        self.now = now
        self.versions = versions
    }
}

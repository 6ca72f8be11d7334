package import Registry

/// Advisories by the crate that they speak of.
package struct AdvisoryBook: Sendable {
    private let byIdentity: [String: [Advisory]]

    package init(_ advisories: some Sequence<Advisory>) {
        var byIdentity: [String: [Advisory]] = [:]
        for advisory in advisories {
            if let identity = advisory.identity { byIdentity[identity, default: []].append(advisory) }
        }
        self.byIdentity = byIdentity.mapValues { $0.sorted { $0.id < $1.id } }
    }

    /// The crates that some advisory speaks of.
    package var identities: Set<String> { Set(byIdentity.keys) }

    /// What holds for a version, by id, withdrawn ones among them.
    package func matches(identity: String, _ version: Version) -> [Advisory] {
        byIdentity[identity]?.filter { $0.affects(version) } ?? []
    }
}

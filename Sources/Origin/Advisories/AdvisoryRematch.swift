import Facts
import Registry

/// A version as advisories look at it.
struct AdvisedVersion: Sendable {
    let id: Int64
    let identity: String
    let version: Version
}

/// That one advisory holds for one version.
struct AdvisoryHit: Hashable, Sendable {
    let versionID: Int64
    let advisoryID: String
}

/// What has to change so that the matches agree with advisories that are new, different or gone. Pure.
struct AdvisoryRematch {
    let added: [AdvisoryHit]
    let gone: [AdvisoryHit]
    /// Whose facts are different now: also those that an advisory held for before and still does, with other words.
    let versionIDs: Set<Int64>

    /// - Parameters:
    ///   - advisories: the new and the different ones.
    ///   - versions: all of the crates that these speak of.
    ///   - existing: the matches of these advisories and of those that are gone, as they stand.
    init(_ advisories: [Advisory], versions: [AdvisedVersion], existing: Set<AdvisoryHit>) {
        let book = AdvisoryBook(advisories)
        var added: [AdvisoryHit] = []
        var gone = existing
        var changed: Set<Int64> = []
        for version in versions {
            for advisory in book.matches(identity: version.identity, version.version) {
                let hit = AdvisoryHit(versionID: version.id, advisoryID: advisory.id)
                if gone.remove(hit) == nil { added.append(hit) }
                changed.insert(version.id)
            }
        }
        self.added = added
        self.gone = Array(gone)
        versionIDs = changed.union(gone.map(\.versionID))
    }
}

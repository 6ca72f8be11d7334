import Registry

/// Crates that are imported together: one flush of the blobs and one transaction for all of them.
///
/// Its limits bound what an import holds in memory, how many files it has open, and what a run that is killed does again.
struct ImportBatch {
    static let versionsMax = 200
    static let cratesMax = 100
    /// Of index lines, roughly, by their dependencies and features.
    static let weightMax = 30_000

    struct Crate {
        /// As the source spells it.
        let name: CrateName
        let offers: [ImportOffer]
    }

    private(set) var crates: [Crate] = []
    private var identities: Set<String> = []
    private var versions = 0
    private var weight = 0

    /// - Returns: false if the crate belongs into the next batch; a crate that is too large for any is a batch alone.
    mutating func take(_ crate: Crate) -> Bool {
        let added = crate.offers.reduce(0) { $0 + $1.weight }
        if !crates.isEmpty {
            guard crates.count < Self.cratesMax, versions + crate.offers.count <= Self.versionsMax,
                weight + added <= Self.weightMax, !identities.contains(crate.name.identity)
            else { return false }
        }
        crates.append(crate)
        identities.insert(crate.name.identity)
        versions += crate.offers.count
        weight += added
        return true
    }
}

extension ImportOffer {
    fileprivate var weight: Int {
        line.map { 1 + $0.dependencies.count * 4 + $0.features.count + $0.features2.count } ?? 1
    }
}

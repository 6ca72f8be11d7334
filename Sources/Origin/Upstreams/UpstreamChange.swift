import Registry

/// What an administrator changes of an upstream; what is nil stays as it is.
struct UpstreamChange: Sendable {
    let index: UpstreamIndex?
    let include: [CratePattern]?
    let exclude: [CratePattern]?
    let freshSeconds: Int?
    let privateAllowed: Bool?
    let alsoHosts: [UpstreamHost]?
    /// In the order of the repository's upstreams, from 1 on. Whether there is such a place is known in the transaction.
    let position: Int?

    /// Reads what came as text from the command line.
    ///
    /// - Throws: 400 with the first thing that can't be.
    init(
        index: String? = nil, include: [String]? = nil, exclude: [String]? = nil, freshSeconds: Int? = nil,
        privateAllowed: Bool? = nil, alsoHosts: [String]? = nil, position: Int? = nil
    ) throws(Refusal) {
        self.index = if let index { try UpstreamOffer.index(index) } else { nil }
        self.include = if let include { try UpstreamOffer.patterns(include) } else { nil }
        self.exclude = if let exclude { try UpstreamOffer.patterns(exclude) } else { nil }
        self.freshSeconds = if let freshSeconds { try UpstreamOffer.freshSeconds(freshSeconds) } else { nil }
        self.privateAllowed = privateAllowed
        self.alsoHosts = if let alsoHosts { try UpstreamOffer.hosts(alsoHosts) } else { nil }
        self.position = position
    }

    var isEmpty: Bool {
        index == nil && include == nil && exclude == nil && freshSeconds == nil && privateAllowed == nil
            && alsoHosts == nil && position == nil
    }

    /// What the upstream is to be.
    func offer(_ name: RepositoryName, from old: Upstream) -> UpstreamOffer {
        UpstreamOffer(
            name: name, index: index ?? old.index,
            filter: UpstreamFilter(include: include ?? old.filter.include, exclude: exclude ?? old.filter.exclude),
            freshSeconds: freshSeconds ?? old.freshSeconds, privateAllowed: privateAllowed ?? old.privateAllowed,
            alsoHosts: alsoHosts ?? old.alsoHosts)
    }
}

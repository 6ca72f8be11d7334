package import Registry

/// One Cargo registry of this origin, as its row says.
package struct Repository: Hashable, Sendable {
    /// What an edge does with held content while it is cut off.
    package enum Offline: String, Hashable, Sendable, CaseIterable, Codable {
        case serveStale = "serve-stale"
        case refuse
    }

    package let id: Int64
    package let name: RepositoryName
    /// True: reads need a token.
    package let isPrivate: Bool
    package let offline: Offline
    /// How long an edge may serve stale content, in seconds.
    package let offlineSecondsMax: Int
    /// True: a publish without description or licence is refused.
    package let metadataRequired: Bool
    /// True: names that are not published here are looked for in upstreams.
    package let readsThrough: Bool
    /// What the operator says of dependencies on crates.io, and what follows from it.
    package let cratesIO: CratesIORewriting
    /// True: dependencies of own crates on crates.io are served as dependencies on this repository.
    package let rewritesCratesIO: Bool

    package init(
        id: Int64, name: RepositoryName, isPrivate: Bool, offline: Offline, offlineSecondsMax: Int,
        metadataRequired: Bool, readsThrough: Bool = false,
        cratesIO: CratesIORewriting = .auto, rewritesCratesIO: Bool = false
    ) {
        self.id = id
        self.name = name
        self.isPrivate = isPrivate
        self.offline = offline
        self.offlineSecondsMax = offlineSecondsMax
        self.metadataRequired = metadataRequired
        self.readsThrough = readsThrough
        self.cratesIO = cratesIO
        self.rewritesCratesIO = rewritesCratesIO
    }
}

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

    package init(
        id: Int64, name: RepositoryName, isPrivate: Bool, offline: Offline, offlineSecondsMax: Int,
        metadataRequired: Bool, readsThrough: Bool = false
    ) {
        self.id = id
        self.name = name
        self.isPrivate = isPrivate
        self.offline = offline
        self.offlineSecondsMax = offlineSecondsMax
        self.metadataRequired = metadataRequired
        self.readsThrough = readsThrough
    }
}

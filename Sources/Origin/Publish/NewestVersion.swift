import Registry

/// Which version search results and `cargo search` show.
enum NewestVersion {
    /// - Returns: the highest release that is not yanked, else the highest pre-release that is not, else the same among
    ///   yanked ones; nil only without versions.
    static func among(_ versions: some Sequence<(version: Version, yanked: Bool)>) -> Version? {
        versions.max { rank($0) < rank($1) }?.version
    }

    private static func rank(_ entry: (version: Version, yanked: Bool)) -> Rank {
        Rank(isOffered: !entry.yanked, isRelease: entry.version.prerelease.isEmpty, version: entry.version)
    }

    private struct Rank: Comparable {
        let isOffered: Bool
        let isRelease: Bool
        let version: Version

        static func < (left: Rank, right: Rank) -> Bool {
            if left.isOffered != right.isOffered { return right.isOffered }
            if left.isRelease != right.isRelease { return right.isRelease }
            return left.version < right.version
        }
    }
}

import Registry

/// Which crates a resolver asks for after it has read a crate's index file.
///
/// A resolver takes the highest version that fits, and nobody knows here what must fit. The newest release of each of the
/// newest `linesMax` compatible lines (1.x, 0.9.x, …) covers most of what is asked; `ResolverWalk` knows better. Not optional dependencies: most
/// are never switched on. Figures: docs/decisions/0007-closure-fill.md
enum NextNames {
    /// Lines that are looked at.
    static let linesMax = 2

    /// The versions whose dependencies count: releases that are not yanked; pre-releases only where there is no release.
    static func versions(
        among all: some Sequence<(version: Version, yanked: Bool)>, linesMax: Int = linesMax
    ) -> [Version] {
        let offered = all.filter { !$0.yanked }.map(\.version)
        let releases = offered.filter { $0.prerelease.isEmpty }
        var newest: [CompatibleLine: Version] = [:]
        for version in releases.isEmpty ? offered : releases {
            newest[CompatibleLine(version)] = newest[CompatibleLine(version)].map { max($0, version) } ?? version
        }
        return Array(newest.values.sorted(by: >).prefix(linesMax))
    }

    /// - Returns: lower-case names, each once, in order.
    static func names(in lines: [IndexLine]) -> [String] {
        let asked = lines.flatMap(\.dependencies).filter { $0.kind != .dev && !$0.isOptional && $0.registry == nil }
        return Set(asked.compactMap { try? CrateName($0.crate).lowered }).sorted()
    }
}

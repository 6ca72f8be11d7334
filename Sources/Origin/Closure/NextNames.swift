import Registry

/// Which crates a resolver asks for after it has read a crate's index file, in three classes, each name once.
///
/// A resolver takes the highest version that fits, and nobody knows here what must fit. The newest release of each of the
/// newest `linesMax` compatible lines (1.x, 0.9.x, …) covers nearly all that is asked. Figures:
/// docs/decisions/0007-closure-fill.md
struct NextNames: Equatable {
    /// Lines that are looked at.
    static let linesMax = 2

    /// What is needed always.
    let certain: [String]
    /// What the default features need.
    let likely: [String]
    /// What other features of the newest version need: most are never switched on, but those of an application's direct
    /// dependencies often are.
    let optional: [String]

    /// - Parameter lines: of the versions that `versions` has chosen, the newest first.
    init(in lines: [IndexLine]) {
        let certain = Set(lines.flatMap { Self.names(of: Self.asked($0).filter { !$0.isOptional }) })
        let likely = Set(lines.flatMap { Self.names(of: Self.byDefault($0)) }).subtracting(certain)
        let optional = Set(lines.first.map { Self.names(of: Self.asked($0)) } ?? [])
        self.certain = certain.sorted()
        self.likely = likely.sorted()
        self.optional = optional.subtracting(certain).subtracting(likely).sorted()
    }

    /// The versions whose dependencies count: releases that are not yanked; pre-releases only where there is no release.
    static func versions(among all: some Sequence<(version: Version, yanked: Bool)>) -> [Version] {
        let offered = all.filter { !$0.yanked }.map(\.version)
        let releases = offered.filter { $0.prerelease.isEmpty }
        var newest: [Line: Version] = [:]
        for version in releases.isEmpty ? offered : releases {
            newest[Line(version)] = newest[Line(version)].map { max($0, version) } ?? version
        }
        return Array(newest.values.sorted(by: >).prefix(linesMax))
    }

    private static func asked(_ line: IndexLine) -> [IndexDependency] {
        line.dependencies.filter { $0.kind != .dev && $0.registry == nil }
    }

    private static func names(of dependencies: [IndexDependency]) -> Set<String> {
        Set(dependencies.compactMap { try? CrateName($0.crate).lowered })
    }

    /// The optional dependencies that `default` leads to.
    private static func byDefault(_ line: IndexLine) -> [IndexDependency] {
        let features = line.allFeatures
        var seen: Set<String> = []
        var pending = ["default"]
        var switchedOn: Set<String> = []
        while let feature = pending.popLast() {
            guard seen.insert(feature).inserted else { continue }
            if let followed = features[feature] {
                pending += followed
            } else if let name = Self.dependency(feature) {
                switchedOn.insert(name)
            }
        }
        return asked(line).filter { $0.isOptional && switchedOn.contains($0.name) }
    }

    /// `dep:x`, `x/feature` and `x` switch `x` on, `x?/feature` does not.
    private static func dependency(_ feature: String) -> String? {
        if feature.hasPrefix("dep:") { return String(feature.dropFirst(4)) }
        guard let slash = feature.firstIndex(of: "/") else { return feature }
        return feature[..<slash].hasSuffix("?") ? nil : String(feature[..<slash])
    }

    /// Versions that cargo counts as compatible: the leftmost number that is not zero is the same.
    private struct Line: Hashable {
        let numbers: [UInt64]

        init(_ version: Version) {
            if version.major > 0 {
                numbers = [version.major]
            } else if version.minor > 0 {
                numbers = [0, version.minor]
            } else {
                numbers = [0, 0, version.patch]
            }
        }
    }
}

import Registry
import Synchronization

/// What a resolver finds in a crate's index file: the newest version of each compatible line (1.x, 0.9.x, …), and what
/// each of them needs. A line is read when somebody asks for it: most never are.
final class CrateNeeds: Sendable {
    /// The newest lines; what needs an older one is asked for when it comes to that.
    static let linesMax = 10

    /// One version.
    struct Line: Sendable {
        let needs: [Need]
        let features: IndexLine.Features
    }

    /// A dependency that a resolver follows: normal or build, in this registry.
    struct Need: Sendable {
        /// As features name it.
        let name: String
        let crate: IndexPath
        let requirement: VersionRequirement
        let features: [String]
        let isOptional: Bool
    }

    private enum Text {
        case unread(String)
        /// nil: no cargo can read it.
        case read(Line?)
    }

    /// The newest first.
    let versions: [Version]
    /// What it takes in memory, roughly.
    let bytes: Int
    private let lines: Mutex<[Text]>

    /// - Parameter lines: of the versions that `versions(among:)` has chosen, in their order.
    init(_ lines: [(version: Version, text: String)]) {
        versions = lines.map(\.version)
        bytes = 256 + lines.reduce(0) { $0 + 2 * $1.text.utf8.count }
        self.lines = Mutex(lines.map { .unread($0.text) })
    }

    /// The versions that count: releases that are not yanked; pre-releases only where there is no release.
    static func versions(among all: some Sequence<(version: Version, yanked: Bool)>) -> [Version] {
        NextNames.versions(among: all, linesMax: linesMax)
    }

    /// - Parameter place: in `versions`.
    func line(_ place: Int) -> Line? {
        lines.withLock { lines in
            switch lines[place] {
            case .read(let line): return line
            case .unread(let text):
                let line = (try? IndexLine(parsing: text)).map(Line.init)
                lines[place] = .read(line)
                return line
            }
        }
    }

    /// The version that a resolver is likely to take, as a place in `versions`: the highest that fits; if none of them fits,
    /// as for `=1.0.3`, the one that is compatible with what is asked.
    func place(for requirement: VersionRequirement) -> Int? {
        if let place = versions.firstIndex(where: requirement.matches) { return place }
        guard let asked = requirement.comparators.first else { return nil }
        let text = "\(asked.major).\(asked.minor ?? 0).\(asked.patch ?? 0)"
        guard let version = try? Version(text) else { return nil }
        return versions.firstIndex { CompatibleLine($0) == CompatibleLine(version) }
    }
}

extension CrateNeeds.Line {
    fileprivate init(_ line: IndexLine) {
        features = line.allFeatures
        needs = line.dependencies.compactMap { dependency in
            guard dependency.kind != .dev, dependency.registry == nil,
                let crate = try? CrateName(dependency.crate).indexPath
            else { return nil }
            return CrateNeeds.Need(
                name: dependency.name, crate: crate, requirement: dependency.requirement,
                features: dependency.features + (dependency.usesDefaultFeatures ? ["default"] : []),
                isOptional: dependency.isOptional)
        }
    }
}

/// Versions that cargo counts as compatible: the leftmost number that is not zero is the same.
struct CompatibleLine: Hashable {
    private let numbers: [UInt64]

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

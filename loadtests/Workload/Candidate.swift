import Registry

/// One version of a crate as a resolver sees it. Two candidates are the same if they are the same object.
final class Candidate: Sendable {
    let name: String
    let version: Version
    let dependencies: [IndexDependency]
    let features: FeatureTable
    let isYanked: Bool
    let links: String?
    let checksum: Checksum?

    init(
        name: String, version: Version, dependencies: [IndexDependency], features: FeatureTable,
        isYanked: Bool = false, links: String? = nil, checksum: Checksum? = nil
    ) {
        self.name = name
        self.version = version
        self.dependencies = dependencies
        self.features = features
        self.isYanked = isYanked
        self.links = links
        self.checksum = checksum
    }

    /// - Returns: nil for a version that cargo would leave out.
    convenience init?(_ line: IndexLine) {
        guard let features = FeatureTable(line.allFeatures, line.dependencies) else { return nil }
        self.init(
            name: line.name.spelling, version: line.version, dependencies: line.dependencies, features: features,
            isYanked: line.isYanked, links: line.links, checksum: line.checksum)
    }

    var id: ObjectIdentifier { ObjectIdentifier(self) }

    /// Of versions with the same line only one can be chosen.
    var line: CompatibleLine { CompatibleLine(name: name, version) }
}

/// The versions of a crate that may stand for each other: those with the same leftmost number that is not zero.
struct CompatibleLine: Hashable, Sendable {
    private let name: String
    private let place: Int
    private let number: UInt64

    init(name: String, _ version: Version) {
        self.name = name
        (place, number) =
            if version.major > 0 {
                (0, version.major)
            } else if version.minor > 0 {
                (1, version.minor)
            } else {
                (2, version.patch)
            }
    }
}

/// An index file as cargo reads it: lines that it can't use are not there.
final class IndexContents: Sendable {
    /// Newest first.
    let versions: [Candidate]

    init(_ versions: [Candidate]) { self.versions = versions.sorted { $0.version > $1.version } }

    /// What a file that the registry does not have says.
    static let absent = IndexContents([])

    convenience init(parsing bytes: some Sequence<UInt8>) {
        var found: [Version: Candidate] = [:]
        for line in Array(bytes).split(separator: UInt8(ascii: "\n")) {
            guard let candidate = (try? IndexLine(parsing: Array(line))).flatMap(Candidate.init) else { continue }
            // Of two lines of one version the last one counts (cargo up to 1.95).
            found[candidate.version] = candidate
        }
        self.init(Array(found.values))
    }
}

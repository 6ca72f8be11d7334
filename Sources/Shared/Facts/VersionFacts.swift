/// Everything that is known of one version and that a policy may ask for.
///
/// Its JSON is a contract: engines of others read it as their input. Keys are only ever added; a key that is there stays,
/// with its type. What is not known is `null`, never left out. The whole of it is in docs/FACTS.md.
package struct VersionFacts: Hashable, Sendable {
    /// The value of `schema`; another number would mean another contract.
    package static let schema = "longshore.version/1"

    package let repository: String
    /// As the first publisher spelled it.
    package let name: String
    /// Lower case, `-` read as `_`: what makes two names the same crate.
    package let identity: String
    /// With its build metadata.
    package let version: String
    package let isPrerelease: Bool
    /// 64 lower-case hex digits.
    package let checksum: String
    /// Of the `.crate`; null until an upstream's file was fetched.
    package let bytes: Int?
    package let origin: Origin
    /// UTC, whole seconds, `2026-08-21T07:05:09Z`; null if nobody vouches for a time.
    package let publishedAt: String?
    /// When this registry met the version.
    package let firstSeenAt: String
    package let yank: Yank
    package let license: LicenseFacts
    /// Null until the manifest was read.
    package let hasBuildScript: Bool?
    package let isProcMacro: Bool?
    /// The native library that `package.links` names.
    package let links: String?
    package let dependencies: DependencyCounts
    /// By id; withdrawn ones among them, which a policy passes over unless it says otherwise.
    package let advisories: [AdvisoryMatch]
    /// Who says so, by the name of the fact.
    package let sources: [String: FactSource]

    package init(
        repository: String, name: String, identity: String, version: String, isPrerelease: Bool, checksum: String,
        bytes: Int?, origin: Origin, publishedAt: String?, firstSeenAt: String, yank: Yank, license: LicenseFacts,
        hasBuildScript: Bool?, isProcMacro: Bool?, links: String?, dependencies: DependencyCounts,
        advisories: [AdvisoryMatch], sources: [String: FactSource]
    ) {
        self.repository = repository
        self.name = name
        self.identity = identity
        self.version = version
        self.isPrerelease = isPrerelease
        self.checksum = checksum
        self.bytes = bytes
        self.origin = origin
        self.publishedAt = publishedAt
        self.firstSeenAt = firstSeenAt
        self.yank = yank
        self.license = license
        self.hasBuildScript = hasBuildScript
        self.isProcMacro = isProcMacro
        self.links = links
        self.dependencies = dependencies
        self.advisories = advisories
        self.sources = sources
    }
}

/// Who says that a fact is so.
package enum FactSource: String, Hashable, Sendable, Codable {
    /// The `Cargo.toml` and the file list in the `.crate`.
    case manifest
    /// The line of the index that the version came with.
    case index
    /// This registry: its clock, its own bytes, its own people.
    case registry
    /// The upstream's index, or what it says beside it.
    case upstream
    /// The advisory database that was read last.
    case advisories
}

/// An advisory that holds for a version.
package struct AdvisoryMatch: Hashable, Sendable {
    package let id: String
    package let kind: AdvisoryKind
    package let title: String
    package let aliases: [String]
    /// A day, `2026-08-21`.
    package let published: String
    /// The day on which it was withdrawn; null while it stands.
    package let withdrawn: String?
    package let vector: String?
    /// Null if the advisory has no vector, or one that can't be read: unscored.
    package let score: Score?
    /// Paths of the functions that are affected; empty means all of the crate.
    package let functions: [String]
    /// Only on these; empty means everywhere.
    package let architectures: [String]
    package let systems: [String]

    package var isWithdrawn: Bool { withdrawn != nil }
    package var isUnscored: Bool { score == nil }
    package var severity: Severity? { score?.severity }

    package init(
        id: String, kind: AdvisoryKind, title: String, aliases: [String] = [], published: String,
        withdrawn: String? = nil, vector: String? = nil, functions: [String] = [], architectures: [String] = [],
        systems: [String] = []
    ) {
        self.id = id
        self.kind = kind
        self.title = title
        self.aliases = aliases
        self.published = published
        self.withdrawn = withdrawn
        self.vector = vector
        score = vector.flatMap { try? CVSSVector($0).score }
        self.functions = functions
        self.architectures = architectures
        self.systems = systems
    }
}

/// What an advisory warns of.
package enum AdvisoryKind: String, Hashable, Sendable, Codable, CaseIterable {
    case vulnerability
    /// The three that RustSec calls informational.
    case unmaintained, unsound, notice
}

package import Registry

/// One advisory of the RustSec database, the same value from either of its forms.
package struct Advisory: Hashable, Sendable {
    /// What its `package` is a name of.
    package enum Collection: String, Hashable, Sendable, Codable {
        case crates
        /// A part of the Rust distribution (`std`, `cargo`): it never holds for a crate, whatever its name.
        case rust
    }

    /// `RUSTSEC-2021-0003`
    package let id: String
    package let collection: Collection
    /// As the advisory spells the crate.
    package let package: String
    package let kind: AdvisoryKind
    package let title: String
    /// Markdown.
    package let details: String
    /// A day, `2026-08-21`.
    package let published: String
    package let withdrawn: String?
    package let aliases: [String]
    package let related: [String]
    package let categories: [String]
    /// As it was written; whether it can be read shows in `score`.
    package let vector: String?
    /// Sorted; without those that follow from the id and the package.
    package let references: [String]
    /// Paths, sorted; empty means all of the crate.
    package let functions: [String]
    package let architectures: [String]
    package let systems: [String]
    package let license: String
    /// In order, none empty, none touching another.
    package let affected: [VersionInterval]

    package init(
        id: String, collection: Collection, package: String, kind: AdvisoryKind, title: String, details: String,
        published: String, withdrawn: String?, aliases: [String], related: [String], categories: [String],
        vector: String?, references: [String], functions: [String], architectures: [String], systems: [String],
        license: String, affected: [VersionInterval]
    ) {
        self.id = id
        self.collection = collection
        self.package = package
        self.kind = kind
        self.title = title
        self.details = details
        self.published = published
        self.withdrawn = withdrawn
        self.aliases = aliases
        self.related = related
        self.categories = categories
        self.vector = vector
        let own: Set = ["https://crates.io/crates/\(package)", "https://rustsec.org/advisories/\(id).html"]
        self.references = Set(references).subtracting(own).sorted()
        self.functions = functions.sorted()
        self.architectures = architectures
        self.systems = systems
        self.license = license
        self.affected = affected
    }

    /// The crate's identity in a registry; nil for what is no crate, or has a name that no crate can have.
    package var identity: String? { collection == .crates ? (try? CrateName(package))?.identity : nil }

    /// True for the number 0000, which RustSec's drafts have until they are merged; an export may keep one for ever.
    package var isDraft: Bool { id.hasPrefix("RUSTSEC-") && id.hasSuffix("-0000") }

    /// Nil: unscored.
    package var score: Score? { vector.flatMap { try? CVSSVector($0).score } }

    /// True if the advisory holds for this version of its crate, withdrawn or not.
    ///
    /// Pre-releases are where semver puts them, unlike in a dependency's requirement: `2.0.0-rc.1` lies below `2.0.0`, so
    /// "fixed in 2.0.0" leaves it affected. Build metadata only breaks ties.
    package func affects(_ version: Version) -> Bool { affected.contains { $0.contains(version) } }

    /// What the facts of a version say of it.
    package var match: AdvisoryMatch {
        AdvisoryMatch(
            id: id, kind: kind, title: title, aliases: aliases, published: published, withdrawn: withdrawn,
            vector: vector, functions: functions, architectures: architectures, systems: systems)
    }
}

extension Advisory: Codable {}

extension Advisory {
    /// A file that is no advisory, or one that can't be understood.
    package struct Invalid: Error, Hashable, CustomStringConvertible {
        package let description: String

        init(_ text: String) { description = text }
    }
}

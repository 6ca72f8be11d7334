/// What a checked `Cargo.toml` says of its version: the only source of an index line and of search.
package struct ManifestFacts: Hashable, Sendable {
    package let name: CrateName
    package let version: Version
    /// Trimmed; nil if there is none.
    package let description: String?
    package let keywords: [String]
    package let categories: [String]
    /// As written; `non-standard` if there is only a licence file, nil if there is neither.
    package let license: String?
    package let homepage: String?
    package let documentation: String?
    package let repository: String?
    package let links: String?
    package let rustVersion: RustVersion?
    /// As in the manifest; the features that optional dependencies imply are not among them.
    package let features: IndexLine.Features
    package let dependencies: [IndexDependency]

    package init(
        name: CrateName, version: Version, description: String? = nil, keywords: [String] = [],
        categories: [String] = [], license: String? = nil, homepage: String? = nil, documentation: String? = nil,
        repository: String? = nil, links: String? = nil, rustVersion: RustVersion? = nil,
        features: IndexLine.Features = [:], dependencies: [IndexDependency] = []
    ) {
        self.name = name
        self.version = version
        self.description = description
        self.keywords = keywords
        self.categories = categories
        self.license = license
        self.homepage = homepage
        self.documentation = documentation
        self.repository = repository
        self.links = links
        self.rustVersion = rustVersion
        self.features = features
        self.dependencies = dependencies
    }
}

/// Every kind of change that the feed tells edges about.
///
/// | kind         | data                                                                | an edge then                          |
/// |--------------|---------------------------------------------------------------------|---------------------------------------|
/// | `index`      | repository, crate (lower-case spelling), generation, sha256, bytes  | drops the crate's index file          |
/// | `version`    | repository, crate, version                                          | drops what it knows of that version   |
/// | `token`      | subject (the token's id)                                            | forgets what it knows of that token   |
/// | `keys`       | nothing                                                             | asks for the signing keys             |
/// | `repository` | repository                                                          | asks for the list of repositories     |
/// | `edges`      | nothing                                                             | asks for the list of edges            |
/// | any other    | anything                                                            | trusts nothing that it holds          |
///
/// Source: docs/EVENTS.md.
package enum RegistryEvent: Hashable, Sendable {
    case index(IndexChange)
    case version(repository: RepositoryName, crate: CrateName, version: String)
    case token(subject: String)
    case keys
    case repository(RepositoryName)
    case edges
    /// A kind that this program does not know, or data that it can't read.
    case unknown(kind: String)

    /// A crate's index file has changed.
    package struct IndexChange: Hashable, Sendable {
        package let repository: RepositoryName
        package let crate: CrateName
        package let generation: UInt64
        /// Of the new file's identity bytes; nil when the crate is gone.
        package let checksum: Checksum?
        package let bytes: Int

        package init(
            repository: RepositoryName, crate: CrateName, generation: UInt64, checksum: Checksum?, bytes: Int
        ) {
            self.repository = repository
            self.crate = crate
            self.generation = generation
            self.checksum = checksum
            self.bytes = bytes
        }
    }

    /// The word in the `event:` line of the feed.
    package var kind: String {
        switch self {
        case .index: "index"
        case .version: "version"
        case .token: "token"
        case .keys: "keys"
        case .repository: "repository"
        case .edges: "edges"
        case .unknown(let kind): kind
        }
    }
}

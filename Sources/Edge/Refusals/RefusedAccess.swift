import Registry

/// Somebody was kept from something by this edge: who, from what, and why.
struct RefusedAccess: Hashable, Sendable {
    /// Who it was, as far as the edge can tell.
    enum Reader: Hashable, Sendable {
        /// No token, none that was looked at, or one that can't be ours.
        case nobody
        /// The token's id.
        case subject(String)
        /// The hash of a token that the origin knows nothing good of; it may know whose it was.
        case secret(Checksum)

        /// - Parameter subject: a token's id, or empty.
        init(_ subject: String) { self = subject.isEmpty ? .nobody : .subject(subject) }
    }

    /// As `AccessRefusal.rule`.
    var rule: String
    var reader: Reader
    var repository: RepositoryName
    /// What policy withholds; nil for everything else.
    var file: CratePath?
    /// What the client reads.
    var reason: String

    init(
        rule: String, reader: Reader, repository: RepositoryName, file: CratePath? = nil, reason: String
    ) {
        self.rule = rule
        self.reader = reader
        self.repository = repository
        self.file = file
        self.reason = reason
    }
}

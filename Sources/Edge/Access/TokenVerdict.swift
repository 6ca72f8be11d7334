import EdgeCache
import Registry

/// What the origin said of a token, ready for quick questions.
final class TokenVerdict: Sendable {
    let introspection: Introspection
    /// Repositories that the token reads whole; nil means all of them.
    private let wholeRepositories: Set<RepositoryName>?

    init(_ introspection: Introspection) {
        self.introspection = introspection
        let whole = introspection.grants.filter { grant in
            (grant.actions.contains(.read) || grant.actions.contains(.admin)) && grant.crates.contains(.everything)
        }
        let isEverywhere = whole.contains { $0.repositories == nil }
        wholeRepositories = isEverywhere ? nil : whole.reduce(into: []) { $0.formUnion($1.repositories ?? []) }
    }

    var value: CachedValue {
        CachedValue(
            payload: self, group: .subject(introspection.subject), bytes: 500 + 200 * introspection.grants.count)
    }

    /// - Parameter now: seconds since 1970.
    func isExpired(at now: Int) -> Bool { introspection.expires.map { $0 <= now } ?? false }

    /// - Parameter crate: nil asks about the repository itself.
    func mayRead(_ repository: RepositoryName, _ crate: () -> CrateName?) -> Bool {
        guard let wholeRepositories, !wholeRepositories.contains(repository) else { return true }
        let crate = crate()
        return introspection.grants.contains { $0.allows(.read, in: repository, of: crate) }
    }
}

import HTTPTypes
package import Postgres
package import Registry

/// Which upstreams a repository reads through, what they said last, and what went wrong. Owns the tables of this folder.
package struct UpstreamStore: Sendable {
    let pool: PostgresPool
    let events: EventLog
    let audit: AuditStore
    let facts: FactsStore

    package init(pool: PostgresPool, events: EventLog, audit: AuditStore, facts: FactsStore) {
        self.pool = pool
        self.events = events
        self.audit = audit
        self.facts = facts
    }

    static let columns: StaticString =
        """
        upstreams.id, upstreams.name, index_url, include, exclude, fresh_seconds, private_allowed, also_hosts,
          sealed_credential
        """

    /// In the order in which they are asked.
    package func list(of repository: Repository) async throws -> [Upstream] {
        try await pool.query(
            """
            SELECT \(literal: Self.columns) FROM upstreams
            WHERE repository_id = \(repository.id) AND removed_at IS NULL ORDER BY place, id
            """
        ).map(Self.upstream)
    }

    /// Patterns of names that no upstream is asked for.
    package func reserved(in repository: Repository) async throws -> [CratePattern] {
        try Self.patterns(await pool.query(Self.reserved(in: repository)))
    }

    static func reserved(in repository: Repository) -> Query {
        "SELECT pattern FROM upstream_reserved WHERE repository_id = \(repository.id) ORDER BY pattern"
    }

    static func patterns(_ rows: [Row]) throws -> [CratePattern] {
        try rows.compactMap { CratePattern(try $0.value("pattern", as: String.self)) }
    }

    static func upstream(_ row: Row) throws -> Upstream {
        guard let index = UpstreamIndex(try row.value("index_url", as: String.self)) else {
            throw Refusal(
                .internalServerError,
                "the address of the upstream `\(try row.value("name", as: String.self))` can't be read; remove it, and "
                    + "add it anew")
        }
        let patterns = { (column: String) in
            try row.value(column, as: [String].self).compactMap { CratePattern($0) }
        }
        return Upstream(
            id: try row.value("id", as: Int64.self), name: try row.value("name", as: String.self), index: index,
            filter: UpstreamFilter(include: try patterns("include"), exclude: try patterns("exclude")),
            freshSeconds: try row.value("fresh_seconds", as: Int.self),
            privateAllowed: try row.value("private_allowed", as: Bool.self),
            alsoHosts: try row.value("also_hosts", as: [String].self).compactMap { UpstreamHost($0) },
            sealedCredential: try row.value("sealed_credential", as: [UInt8]?.self))
    }
}

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

    /// What an operator says of a new upstream.
    package struct Offer: Sendable {
        let name: RepositoryName
        let index: UpstreamIndex
        let filter: UpstreamFilter
        let freshSeconds: Int
        let privateAllowed: Bool

        package init(
            name: RepositoryName, index: UpstreamIndex, filter: UpstreamFilter = .init(), freshSeconds: Int = 60,
            privateAllowed: Bool = false
        ) {
            self.name = name
            self.index = index
            self.filter = filter
            self.freshSeconds = freshSeconds
            self.privateAllowed = privateAllowed
        }
    }

    static let columns: StaticString =
        "upstreams.id, upstreams.name, index_url, include, exclude, fresh_seconds, private_allowed"

    /// Adds an upstream behind those that are there.
    ///
    /// - Throws: 409 if the name is taken.
    package func add(_ offer: Offer, to repository: Repository, by actor: Actor) async throws {
        try await pool.withTransaction { transaction in
            let rows = try await transaction.execute(
                """
                INSERT INTO upstreams (repository_id, name, place, index_url, include, exclude, fresh_seconds,
                  private_allowed)
                SELECT \(repository.id), \(offer.name.description), coalesce(max(place), 0) + 1, \(offer.index.url),
                  \(offer.filter.include.map(\.description))::text[],
                  \(offer.filter.exclude.map(\.description))::text[], \(offer.freshSeconds), \(offer.privateAllowed)
                FROM upstreams WHERE repository_id = \(repository.id)
                ON CONFLICT (repository_id, name) WHERE removed_at IS NULL DO NOTHING
                """)
            guard rows > 0 else {
                throw Refusal(.conflict, "`\(repository.name)` has an upstream `\(offer.name)` already")
            }
            try await announce(
                "upstream.add", repository, ["upstream": offer.name.description, "index": offer.index.url], by: actor,
                transaction)
        }
    }

    /// What came from it stays; nothing new does.
    ///
    /// - Throws: 404 if there is none of this name.
    package func remove(_ name: RepositoryName, from repository: Repository, by actor: Actor) async throws {
        try await pool.withTransaction { transaction in
            let rows = try await transaction.execute(
                """
                UPDATE upstreams SET removed_at = now()
                WHERE repository_id = \(repository.id) AND name = \(name.description) AND removed_at IS NULL
                """)
            guard rows > 0 else { throw Refusal.notFound("`\(repository.name)` has no upstream `\(name)`") }
            try await announce("upstream.remove", repository, ["upstream": name.description], by: actor, transaction)
        }
    }

    /// Replaces the patterns of names that no upstream is asked for.
    package func reserve(_ patterns: [CratePattern], in repository: Repository, by actor: Actor) async throws {
        let texts = patterns.map(\.description)
        try await pool.withTransaction { transaction in
            _ = try await transaction.execute(
                "DELETE FROM upstream_reserved WHERE repository_id = \(repository.id)")
            _ = try await transaction.execute(
                """
                INSERT INTO upstream_reserved (repository_id, pattern)
                SELECT DISTINCT \(repository.id)::bigint, pattern FROM unnest(\(texts)::text[]) AS pattern
                """)
            try await announce(
                "upstream.reserve", repository, ["patterns": texts.joined(separator: ",")], by: actor, transaction)
        }
    }

    /// In the order in which they are asked.
    package func list(of repository: Repository) async throws -> [Upstream] {
        try await pool.query(
            """
            SELECT \(literal: Self.columns) FROM upstreams
            WHERE repository_id = \(repository.id) AND removed_at IS NULL ORDER BY place
            """
        ).map(Self.upstream)
    }

    /// Patterns of names that no upstream is asked for.
    package func reserved(in repository: Repository) async throws -> [CratePattern] {
        try await pool.query(
            "SELECT pattern FROM upstream_reserved WHERE repository_id = \(repository.id) ORDER BY pattern"
        ).compactMap { CratePattern(try $0.value("pattern", as: String.self)) }
    }

    /// The last useless answers, newest first: the upstream, the crate asked for, the cause, the time.
    package func faults(of repository: Repository) async throws -> [[String]] {
        try await pool.query(
            """
            SELECT upstreams.name AS upstream, upstream_faults.name, cause, at::text AS at
            FROM upstream_faults JOIN upstreams ON upstreams.id = upstream_id
            WHERE repository_id = \(repository.id) AND removed_at IS NULL ORDER BY at DESC LIMIT 100
            """
        ).map { row in try ["upstream", "name", "cause", "at"].map { try row.value($0, as: String.self) } }
    }

    /// Every edge drops what it holds of the repository: what was absent may be there now, or the other way round.
    private func announce(
        _ action: String, _ repository: Repository, _ detail: [String: String], by actor: Actor,
        _ transaction: Transaction
    ) async throws {
        try await audit.record(
            AuditEntry(
                actor: actor.name, tokenID: actor.tokenID, action: action, repository: repository.name,
                detail: detail), in: transaction)
        _ = try await events.append([.repository(repository.name)], in: transaction)
    }

    static func upstream(_ row: Row) throws -> Upstream {
        guard let index = UpstreamIndex(try row.value("index_url", as: String.self)) else {
            preconditionFailure("only read addresses are stored")
        }
        let patterns = { (column: String) in
            try row.value(column, as: [String].self).compactMap { CratePattern($0) }
        }
        return Upstream(
            id: try row.value("id", as: Int64.self), name: try row.value("name", as: String.self), index: index,
            filter: UpstreamFilter(include: try patterns("include"), exclude: try patterns("exclude")),
            freshSeconds: try row.value("fresh_seconds", as: Int.self),
            privateAllowed: try row.value("private_allowed", as: Bool.self))
    }
}

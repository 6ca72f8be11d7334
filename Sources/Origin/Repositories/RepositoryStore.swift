import Hummingbird
package import Postgres
package import Registry

/// Owns `repositories`. Every change is audited and announced with a `repository` event in its transaction.
package struct RepositoryStore: Sendable {
    let pool: PostgresPool
    let events: EventLog
    let audit: AuditStore

    package init(pool: PostgresPool, events: EventLog, audit: AuditStore) {
        self.pool = pool
        self.events = events
        self.audit = audit
    }

    private static let columns: StaticString = """
        id, name, is_private, offline, offline_seconds_max, metadata_required, EXISTS (
          SELECT FROM upstreams WHERE repository_id = repositories.id AND removed_at IS NULL
        ) AS reads_through, rewrite_crates_io, rewrites_crates_io
        """

    /// The repository of this name, read at once; nil if there is none.
    package func find(_ name: RepositoryName) async throws -> Repository? {
        try await pool.query(
            "SELECT \(literal: Self.columns) FROM repositories WHERE name = \(name.description)"
        ).first.map(Self.read)
    }

    /// - Throws: 404 with the name, for handlers that can't go on without it.
    package func require(_ name: RepositoryName) async throws -> Repository {
        guard let repository = try await find(name) else { throw Refusal.noRepository(name) }
        return repository
    }

    /// All of them, by name, and the feed position of the very snapshot that they were read in.
    package func list() async throws -> (repositories: [Repository], position: UInt64) {
        let rows = try await pool.query(
            """
            SELECT \(literal: EventLog.positionSQL) AS position, \(literal: Self.columns)
            FROM (SELECT) AS one_row LEFT JOIN repositories ON true ORDER BY name
            """)
        guard let first = rows.first else { throw FeedDamage.noHead }
        let found = try rows.filter { try $0.value("id", as: Int64?.self) != nil }.map(Self.read)
        return (found, try first.value("position", as: UInt64.self))
    }

    /// - Throws: 409 if the name is taken.
    package func create(_ name: RepositoryName, _ settings: RepositorySettings, by actor: Actor) async throws
        -> Repository
    {
        try await pool.withTransaction { transaction in
            let rows = try await transaction.query(
                """
                INSERT INTO repositories (name, is_private, offline, offline_seconds_max, metadata_required,
                  rewrite_crates_io, rewrites_crates_io)
                VALUES (\(name.description), \(settings.isPrivate ?? false),
                        \((settings.offline ?? .serveStale).rawValue), \(settings.offlineSecondsMax ?? 86_400),
                        \(settings.metadataRequired ?? false), \((settings.cratesIO ?? .auto).rawValue),
                        \(settings.cratesIO == .on))
                ON CONFLICT (name) DO NOTHING RETURNING \(literal: Self.columns)
                """)
            guard let row = rows.first else { throw Refusal.repositoryTaken(name) }
            try await announce("repository.create", name, detail: settings.audited, by: actor, in: transaction)
            return try Self.read(row)
        }
    }

    /// Changes what `settings` names and leaves the rest. `LineRenewal` makes lines follow.
    ///
    /// - Throws: 404 if there is no such repository.
    package func update(_ name: RepositoryName, _ settings: RepositorySettings, by actor: Actor) async throws
        -> Repository
    {
        try await pool.withTransaction { transaction in
            let rows = try await transaction.query(
                """
                UPDATE repositories SET
                    is_private = coalesce(\(settings.isPrivate), is_private),
                    offline = coalesce(\(settings.offline?.rawValue), offline),
                    offline_seconds_max = coalesce(\(settings.offlineSecondsMax), offline_seconds_max),
                    metadata_required = coalesce(\(settings.metadataRequired), metadata_required),
                    rewrite_crates_io = coalesce(\(settings.cratesIO?.rawValue), rewrite_crates_io)
                WHERE name = \(name.description) RETURNING id
                """)
            guard let id = try rows.first?.value("id", as: Int64.self) else { throw Refusal.noRepository(name) }
            try await CratesIORule.renew(in: id, transaction)
            guard
                let row = try await transaction.query(
                    "SELECT \(literal: Self.columns) FROM repositories WHERE id = \(id)"
                ).first
            else { preconditionFailure("the row is locked") }
            try await announce("repository.set", name, detail: settings.audited, by: actor, in: transaction)
            return try Self.read(row)
        }
    }

    /// Removes the repository with its crates, versions and owners; blobs and remembered checksums stay (I2).
    ///
    /// Its crates get no `index` events: on the `repository` event edges drop the repository whole.
    /// - Throws: 404 if there is no such repository.
    package func delete(_ name: RepositoryName, by actor: Actor) async throws {
        try await pool.withTransaction { transaction in
            let count = try await transaction.execute(
                "DELETE FROM repositories WHERE name = \(name.description)")
            guard count > 0 else { throw Refusal.noRepository(name) }
            try await announce("repository.delete", name, detail: [:], by: actor, in: transaction)
        }
    }

    private func announce(
        _ action: String, _ name: RepositoryName, detail: [String: String], by actor: Actor, in transaction: Transaction
    ) async throws {
        try await audit.record(
            AuditEntry(actor: actor.name, tokenID: actor.tokenID, action: action, repository: name, detail: detail),
            in: transaction)
        _ = try await events.append([.repository(name)], in: transaction)
    }

    private static func read(_ row: Row) throws -> Repository {
        guard let offline = Repository.Offline(rawValue: try row.value("offline", as: String.self)) else {
            preconditionFailure("the table lets only known offline rules in")
        }
        guard let cratesIO = CratesIORewriting(rawValue: try row.value("rewrite_crates_io", as: String.self)) else {
            preconditionFailure("the table lets only known words in")
        }
        return Repository(
            id: try row.value("id", as: Int64.self),
            name: try RepositoryName(try row.value("name", as: String.self)),
            isPrivate: try row.value("is_private", as: Bool.self), offline: offline,
            offlineSecondsMax: try row.value("offline_seconds_max", as: Int.self),
            metadataRequired: try row.value("metadata_required", as: Bool.self),
            readsThrough: try row.value("reads_through", as: Bool.self), cratesIO: cratesIO,
            rewritesCratesIO: try row.value("rewrites_crates_io", as: Bool.self))
    }
}

extension Refusal {
    /// 404, in words that name the repository.
    package static func noRepository(_ name: RepositoryName) -> Refusal {
        Refusal(
            .notFound,
            "there is no repository `\(name)` here; check its name in your cargo configuration, or against `longshore-origin repository list`"
        )
    }

    static func repositoryTaken(_ name: RepositoryName) -> Refusal {
        Refusal(.conflict, "there is a repository `\(name)` already; choose another name")
    }
}

package import Logging
package import Postgres
import Registry
package import ServiceLifecycle

/// Makes the lines of a repository's own crates anew after its rule for dependencies on crates.io has changed: a few
/// crates a transaction, one event for each whose file is another one then.
///
/// How far it came stands in the database: whoever changed the rule goes on until all is done, and if that program ends
/// too early, a replica goes on. Two at once do no harm, they take turns.
package struct LineRenewal: Service {
    /// A publish waits for one batch at most.
    static let cratesABatch = 50
    private static let pause: Duration = .seconds(2)

    let pool: PostgresPool
    let repositories: RepositoryStore
    let events: EventLog
    let audit: AuditStore
    let facts: FactsStore
    let logger: Logger

    package init(
        pool: PostgresPool, repositories: RepositoryStore, events: EventLog, audit: AuditStore, facts: FactsStore,
        logger: Logger
    ) {
        self.pool = pool
        self.repositories = repositories
        self.events = events
        self.audit = audit
        self.facts = facts
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    for name in try await CratesIORule.behind(pool) {
                        if let repository = try await repositories.find(name) { _ = try await renew(repository) }
                    }
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning(
                        "lines could not be made anew; tried again later", metadata: ["error": "\(error)"])
                }
                guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
            }
        }
    }

    /// Brings all lines of a repository's own crates up to its rule.
    ///
    /// - Returns: how many crates have another index file now.
    package func renew(_ repository: Repository) async throws -> Int {
        var changed = 0
        while let more = try await batch(repository) {
            changed += more
            try Task.checkCancellation()
        }
        if changed > 0 {
            logger.notice(
                "lines were made anew", metadata: ["repository": "\(repository.name)", "crates": "\(changed)"])
        }
        return changed
    }

    /// - Returns: how many crates were changed; nil if there is nothing left to do.
    func batch(_ repository: Repository) async throws -> Int? {
        guard let standing = try await CratesIORule.standing(of: repository.id, pool),
            let renewedTo = standing.renewedTo
        else { return nil }
        // Read before the rule is locked, since it may take a while. All lines that were made by another rule are committed.
        let ids = try await candidates(in: repository, after: renewedTo)
        return try await pool.withTransaction { transaction in
            let now = try await CratesIORule.lock(repository.id, transaction)
            // Somebody else was faster, or changed the rule: looked at anew.
            guard now == standing else { return 0 }
            let changed = try await renew(ids, in: repository, rewrites: standing.rewrites, transaction)
            let end = ids.count < Self.cratesABatch ? nil : ids.last
            try await CratesIORule.note(renewedTo: end, in: repository.id, transaction)
            guard !changed.events.isEmpty else { return 0 }
            try await audit.record(
                AuditEntry(
                    actor: Actor.origin.name, action: "repository.renew", repository: repository.name,
                    detail: ["crates": "\(changed.crates)", "crates_io": standing.rewrites ? "inside" : "outside"]),
                in: transaction)
            try await audit.record(changed.entries, in: transaction)
            _ = try await events.append(changed.events, in: transaction)
            return changed.crates
        }
    }

    /// Crates of our own whose lines may be others by another rule, in the order of their ids.
    private func candidates(in repository: Repository, after id: Int64) async throws -> [Int64] {
        try await pool.query(
            """
            SELECT id FROM crates WHERE repository_id = \(repository.id) AND id > \(id) AND EXISTS (
              SELECT FROM versions WHERE crate_id = crates.id AND upstream_id IS NULL
                AND (published_line IS NOT NULL OR line LIKE '%"registry":"%'))
            ORDER BY id LIMIT \(Self.cratesABatch)
            """
        ).map { try $0.value("id", as: Int64.self) }
    }

    private struct Renewed {
        var crates = 0
        var entries: [AuditEntry] = []
        var events: [RegistryEvent] = []
    }

    private func renew(
        _ ids: [Int64], in repository: Repository, rewrites: Bool, _ transaction: Transaction
    ) async throws -> Renewed {
        let crates = try await transaction.query(
            "SELECT id, name, generation FROM crates WHERE id = ANY(\(ids)::bigint[]) ORDER BY id FOR UPDATE"
        ).map(CrateRows.crate)
        let rows = try await transaction.query(
            """
            SELECT id, crate_id, coalesce(source_line, line) AS line, published_line FROM versions
            WHERE crate_id = ANY(\(ids)::bigint[]) AND upstream_id IS NULL
            """)
        var lines: [(id: Int64, line: ServedLine)] = []
        var touched: Set<Int64> = []
        for row in rows {
            let held = ServedLine(
                served: try row.value("line", as: String.self),
                published: try row.value("published_line", as: String?.self))
            // A line that no cargo can read leads nowhere, whatever its dependencies; `verify` tells of it.
            guard let line = try? held.renewed(rewrites: rewrites) else { continue }
            lines.append((try row.value("id", as: Int64.self), line))
            touched.insert(try row.value("crate_id", as: Int64.self))
        }
        guard !lines.isEmpty else { return Renewed() }
        // What rules say of a yank is put into the new line again, at once.
        _ = try await transaction.execute(
            """
            UPDATE versions SET line = made.line, published_line = made.published, source_line = NULL,
              yanked = yanked <> (source_line IS NOT NULL)
            FROM unnest(\(lines.map(\.id))::bigint[], \(lines.map(\.line.served))::text[],
              \(lines.map(\.line.published))::text[]) AS made (id, line, published)
            WHERE versions.id = made.id
            """)
        let events = try await ImportRows.renewIndexFiles(
            of: crates.filter { touched.contains($0.id) }, in: repository.name, transaction)
        let verdicts = try await facts.changed(lines.map(\.id), cause: .lines, in: transaction)
        return Renewed(crates: touched.count, entries: verdicts.entries, events: events + verdicts.events)
    }
}

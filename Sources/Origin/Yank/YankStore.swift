import Facts
package import Postgres
import Registry

/// Sets and clears a version's yank; its line is rendered anew, all else stays.
package struct YankStore: Sendable {
    let pool: PostgresPool
    let owners: OwnersStore
    let events: EventLog
    let audit: AuditStore
    let facts: FactsStore

    package init(pool: PostgresPool, owners: OwnersStore, events: EventLog, audit: AuditStore, facts: FactsStore) {
        self.pool = pool
        self.owners = owners
        self.events = events
        self.audit = audit
        self.facts = facts
    }

    /// - Returns: the feed position of the change; nil if the version was so already (H2).
    /// - Throws: `Refusal`: no such crate or version, not an owner.
    func set(
        yanked: Bool, _ version: Version, of crate: CrateName, in repository: Repository, by principal: Principal
    ) async throws -> UInt64? {
        let holder = try principal.require(.yank, in: repository.name, of: crate)
        return try await pool.withTransaction { transaction in
            guard let row = try await CrateRows.lock(crate, in: repository.id, transaction) else {
                throw Refusal.noSuchCrate(crate, in: repository.name)
            }
            if try await CrateRows.isOfUpstreams(row, transaction) { throw PublishCheck.notOurs(row.name) }
            let isOwner = try await owners.isOwner(holder.userID, of: row.id, transaction)
            guard isOwner || principal.isAdmin(of: repository.name) else { throw PublishCheck.notOwner(crate) }
            guard let id = try await change(version, of: row, yanked: yanked, transaction) else { return nil }
            let event = try await CrateRows.renewIndexFile(of: row, in: repository.name, transaction)
            let verdicts = try await facts.yanked(id, by: yanked ? .owner : nil, in: transaction)
            try await audit.record(
                AuditEntry(
                    actor: holder.login, tokenID: holder.tokenID, action: yanked ? "yank" : "unyank",
                    repository: repository.name, crate: crate, version: version.description), in: transaction)
            try await audit.record(verdicts.entries, in: transaction)
            return try await events.append([event] + verdicts.events, in: transaction)
        }
    }

    /// - Returns: the id of the version's row; nil if there was nothing to change.
    private func change(
        _ version: Version, of crate: CrateRows.Crate, yanked: Bool, _ transaction: Transaction
    ) async throws -> Int64? {
        let rows = try await transaction.query(
            """
            SELECT id, coalesce(source_line, line) AS line, yanked <> (source_line IS NOT NULL) AS yanked FROM versions
            WHERE crate_id = \(crate.id) AND bare_number = \(version.bare) AND number = \(version.description)
            """)
        guard let row = rows.first else {
            throw Refusal.notFound("crate `\(crate.name)` does not have a version `\(version)`")
        }
        guard try row.value("yanked", as: Bool.self) != yanked else { return nil }
        let line = try IndexLine(parsing: row.value("line", as: String.self)).with(yanked: yanked)
        let id = try row.value("id", as: Int64.self)
        _ = try await transaction.execute(
            "UPDATE versions SET yanked = \(yanked), line = \(line.json), source_line = NULL WHERE id = \(id)")
        return id
    }
}

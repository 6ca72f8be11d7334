import Facts
package import Postgres
import Registry

/// A version whose bytes are checked and durable, on its way into the database.
struct CheckedVersion {
    let facts: ManifestFacts
    let line: IndexLine
    /// The line as the source of an import has it, unknown fields included; nil: as ours are written.
    var text: String?
    /// Nil if the manifest can't be read, as some that others once took.
    let traits: ManifestTraits?
    /// When it was published, if somebody vouches for it: this registry, or the index that it comes from.
    let publishedAt: Pubtime?
    /// Of the `.crate`, in bytes.
    let bytes: Int
}

/// Who publishes, and what the token allows.
struct Publisher {
    let principal: Principal
    let holder: TokenHolder
}

/// Puts a version into its crate: one transaction with the audit row and the event; owns `crates`, `versions`, `checksums`.
package struct PublishStore: Sendable {
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

    /// - Returns: the feed position of the change; whoever has applied it sees the version.
    /// - Throws: `Refusal` with the reason, and then nothing has changed.
    func add(_ version: CheckedVersion, to repository: Repository, by publisher: Publisher) async throws -> UInt64 {
        do {
            return try await pool.withTransaction { transaction in
                try await add(version, to: repository, by: publisher, transaction)
            }
        } catch let error as PostgresError where error.constraint == "crates_repository_id_fkey" {
            // Deleted since the route found it.
            throw Refusal.noRepository(repository.name)
        }
    }

    private func add(
        _ version: CheckedVersion, to repository: Repository, by publisher: Publisher, _ transaction: Transaction
    ) async throws -> UInt64 {
        let name = version.facts.name
        let rewrites = try await CratesIORule.hold(in: repository.id, transaction)
        let crate = try await CrateRows.lockForOwn(name, in: repository.id, transaction)
        let isNew = crate.generation == 0
        try publisher.principal.require(isNew ? .publishNew : .publishUpdate, in: repository.name, of: name)
        let known = try await facts(of: version, in: repository, crate, publisher, transaction)
        let check = PublishCheck(known, name: name, version: version.facts.version, checksum: version.line.checksum)
        if case .refused(let refusal) = check { throw refusal }

        if isNew { try await owners.makeFirstOwner(publisher.holder.userID, of: crate.id, transaction) }
        let id = try await VersionRows.insert(
            version, into: crate, of: repository.name, by: publisher.holder.userID, rewrites: rewrites, transaction)
        let change = try await CrateRows.renewIndexFile(of: crate, in: repository.name, transaction)
        try await VersionRows.describe(version, crate, transaction)
        let verdicts = try await self.facts.record(
            [NewFacts(id, version, .published)], cause: .published, in: transaction)
        try await audit.record(entry(version, repository, publisher.holder, isNew: isNew), in: transaction)
        try await audit.record(verdicts.entries, in: transaction)
        return try await events.append([change] + verdicts.events, in: transaction)
    }

    private func facts(
        of version: CheckedVersion, in repository: Repository, _ crate: CrateRows.Crate, _ publisher: Publisher,
        _ transaction: Transaction
    ) async throws -> PublishFacts {
        let bare = version.facts.version.bare
        let rows = try await transaction.query(
            """
            SELECT EXISTS (SELECT 1 FROM versions WHERE crate_id = \(crate.id) AND bare_number = \(bare)) AS is_there,
              (SELECT checksum FROM checksums WHERE repository = \(repository.name.description)
                AND identity = \(version.facts.name.identity) AND bare_number = \(bare)) AS checksum
            """)
        guard let row = rows.first else { preconditionFailure("a SELECT without FROM has one row") }
        let remembered = try row.value("checksum", as: [UInt8]?.self)
        return PublishFacts(
            storedName: crate.generation == 0 ? nil : crate.name,
            isOwner: try await owners.isOwner(publisher.holder.userID, of: crate.id, transaction),
            versionExists: try row.value("is_there", as: Bool.self),
            rememberedChecksum: remembered.flatMap { Checksum(bytes: $0) })
    }

    private func entry(
        _ version: CheckedVersion, _ repository: Repository, _ holder: TokenHolder, isNew: Bool
    ) -> AuditEntry {
        AuditEntry(
            actor: holder.login, tokenID: holder.tokenID, action: isNew ? "publish-new" : "publish",
            repository: repository.name, crate: version.facts.name, version: version.facts.version.description,
            detail: ["sha256": "\(version.line.checksum)", "bytes": "\(version.bytes)"])
    }
}

import Postgres
import Registry

/// Owns `lock_files` and `lock_entries`: the lock files of the builds that read from a repository, by name.
///
/// Changes are lines of the audit log. Edges hear nothing of them.
package struct LockFileStore: Sendable {
    let pool: PostgresPool
    let audit: AuditStore

    /// Keeps a lock file under its name, in place of the one that is there.
    ///
    /// The same text again only renews when it was last seen: nothing changed, and a build sends it every time.
    /// - Throws: 404 without the repository, 409 and 429 as `LockFileCheck` says.
    func put(
        _ file: LockFile, as name: LockFileName, in repository: Repository, by keeper: LockFileKeeper
    ) async throws -> (record: LockFileRecord, change: LockFileCheck.Change) {
        try await pool.withTransaction { transaction in
            let check = try await check(name, in: repository, keeper, transaction)
            let change = try check.verdict(file, by: keeper)
            if change == .unchanged {
                _ = try await transaction.execute(
                    """
                    UPDATE lock_files SET seen_at = now()
                    WHERE repository_id = \(repository.id) AND name = \(name.description)
                    """)
            } else {
                try await write(file, as: name, in: repository, keeper.actor, transaction)
                try await note("lock-file.put", name, file.sha256, in: repository, keeper.actor, transaction)
            }
            guard let record = try await Self.record(name, in: repository, transaction) else {
                preconditionFailure("a row that was just written is there")
            }
            return (record, change)
        }
    }

    /// Removes a lock file.
    ///
    /// - Throws: 404 if there is none of this name that `keeper` may touch.
    func remove(_ name: LockFileName, from repository: Repository, by keeper: LockFileKeeper) async throws {
        try await pool.withTransaction { transaction in
            let rows = try await transaction.query(
                """
                DELETE FROM lock_files WHERE repository_id = \(repository.id) AND name = \(name.description)
                  AND owner = coalesce(\(keeper.ownerAsked), owner)
                RETURNING sha256
                """)
            guard let row = rows.first else { throw Refusal.noLockFile(name, in: repository.name) }
            try await note("lock-file.remove", name, Self.sha256(row), in: repository, keeper.actor, transaction)
        }
    }

    /// Those that `keeper` may see, by name.
    func list(in repository: Repository, for keeper: LockFileKeeper) async throws -> [LockFileRecord] {
        try await pool.query(
            """
            SELECT \(literal: LockFileRecord.columns) FROM lock_files
            WHERE repository_id = \(repository.id) AND owner = coalesce(\(keeper.ownerAsked), owner)
            ORDER BY name
            """
        ).map(LockFileRecord.init)
    }

    /// The text as it was put.
    ///
    /// - Throws: 404 if there is none of this name that `keeper` may see.
    func text(_ name: LockFileName, in repository: Repository, for keeper: LockFileKeeper) async throws -> String {
        let rows = try await pool.query(
            """
            SELECT text FROM lock_files WHERE repository_id = \(repository.id) AND name = \(name.description)
              AND owner = coalesce(\(keeper.ownerAsked), owner)
            """)
        guard let row = rows.first else { throw Refusal.noLockFile(name, in: repository.name) }
        return try row.value("text")
    }

    /// The facts for `LockFileCheck`, under a lock of the repository's row, which publishes do not wait for.
    private func check(
        _ name: LockFileName, in repository: Repository, _ keeper: LockFileKeeper, _ transaction: Transaction
    ) async throws -> LockFileCheck {
        let locked = try await transaction.query(
            "SELECT id FROM repositories WHERE id = \(repository.id) FOR NO KEY UPDATE")
        guard !locked.isEmpty else { throw Refusal.noRepository(repository.name) }
        let held = try await transaction.query(
            """
            SELECT owner, sha256, extract(epoch FROM now() - changed_at)::bigint AS age FROM lock_files
            WHERE repository_id = \(repository.id) AND name = \(name.description)
            """
        ).first.map { row in
            LockFileCheck.Held(
                owner: try row.value("owner"), sha256: try Self.sha256(row), age: try row.value("age", as: Int.self))
        }
        let others = try await transaction.query(
            """
            SELECT count(*) AS files, count(*) FILTER (WHERE owner = \(keeper.actor.name)) AS own,
              coalesce(sum(bytes), 0)::bigint AS bytes
            FROM lock_files WHERE repository_id = \(repository.id) AND name <> \(name.description)
            """
        ).first.map { row in
            LockFileCheck.Others(
                files: try row.value("files"), filesOfOwner: try row.value("own"), bytes: try row.value("bytes"))
        }
        return LockFileCheck(name: name, held: held, others: others ?? .init())
    }

    private func write(
        _ file: LockFile, as name: LockFileName, in repository: Repository, _ actor: Actor, _ transaction: Transaction
    ) async throws {
        let rows = try await transaction.query(
            """
            INSERT INTO lock_files (repository_id, name, owner, put_by, put_token, text, bytes, sha256, packages)
            VALUES (\(repository.id), \(name.description), \(actor.name), \(actor.name), \(actor.tokenID), \(file.text),
                    \(file.bytes), \(file.sha256.bytes), \(file.entries.count))
            ON CONFLICT (repository_id, name) DO UPDATE SET put_by = excluded.put_by, put_token = excluded.put_token,
              text = excluded.text, bytes = excluded.bytes, sha256 = excluded.sha256, packages = excluded.packages,
              changed_at = now(), seen_at = now()
            RETURNING id
            """)
        guard let id = try rows.first?.value("id", as: Int64.self) else {
            preconditionFailure("an upsert of one row returns it")
        }
        _ = try await transaction.execute("DELETE FROM lock_entries WHERE lock_file_id = \(id)")
        _ = try await transaction.execute(
            """
            INSERT INTO lock_entries (lock_file_id, identity, bare_number, checksum)
            SELECT \(id), identity, bare_number, decode(nullif(checksum, ''), 'hex')
            FROM unnest(\(file.entries.map(\.identity))::text[], \(file.entries.map(\.bareNumber))::text[],
                        \(file.entries.map { $0.checksum?.description ?? "" })::text[])
              AS entry (identity, bare_number, checksum)
            """)
    }

    private func note(
        _ action: String, _ name: LockFileName, _ sha256: Checksum, in repository: Repository, _ actor: Actor,
        _ transaction: Transaction
    ) async throws {
        try await audit.record(
            AuditEntry(
                actor: actor.name, tokenID: actor.tokenID, action: action, repository: repository.name,
                detail: ["name": name.description, "sha256": "\(sha256)"]), in: transaction)
    }

    private static func record(
        _ name: LockFileName, in repository: Repository, _ transaction: Transaction
    ) async throws -> LockFileRecord? {
        try await transaction.query(
            """
            SELECT \(literal: LockFileRecord.columns) FROM lock_files
            WHERE repository_id = \(repository.id) AND name = \(name.description)
            """
        ).first.map(LockFileRecord.init)
    }

    private static func sha256(_ row: Row) throws -> Checksum {
        guard let sha256 = Checksum(bytes: try row.value("sha256", as: [UInt8].self)) else {
            preconditionFailure("the table lets only 32 bytes in")
        }
        return sha256
    }
}

extension LockFileKeeper {
    /// Whose lock files are asked for; nil: everybody's.
    fileprivate var ownerAsked: String? { isAdmin ? nil : actor.name }
}

extension Refusal {
    static func noLockFile(_ name: LockFileName, in repository: RepositoryName) -> Refusal {
        .notFound("repository `\(repository)` has no lock file `\(name)`")
    }
}

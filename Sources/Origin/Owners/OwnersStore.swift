package import Postgres
import Registry

/// Who owns which crate; owns `owners`.
package struct OwnersStore: Sendable {
    let pool: PostgresPool
    let audit: AuditStore

    package init(pool: PostgresPool, audit: AuditStore) {
        self.pool = pool
        self.audit = audit
    }

    /// - Returns: in the order of logins; nil if there is no such crate.
    func owners(of crate: CrateName, in repository: Repository) async throws -> [CargoAnswer.Owner]? {
        let rows = try await pool.query(
            """
            SELECT users.id, users.login FROM crates
            LEFT JOIN owners ON owners.crate_id = crates.id LEFT JOIN users ON users.id = owners.user_id
            WHERE crates.repository_id = \(repository.id) AND crates.identity = \(crate.identity)
            ORDER BY users.login
            """)
        guard !rows.isEmpty else { return nil }
        return try rows.compactMap { row in
            // A crate without owners has one row of nothing.
            guard let login = try row.value("login", as: String?.self) else { return nil }
            return CargoAnswer.Owner(id: UInt32(try row.value("id", as: Int.self)), login: login)
        }
    }

    func isOwner(_ userID: Int32, of crateID: Int64, _ transaction: Transaction) async throws -> Bool {
        try await !transaction.query(
            "SELECT 1 AS one FROM owners WHERE crate_id = \(crateID) AND user_id = \(userID)"
        ).isEmpty
    }

    func makeFirstOwner(_ userID: Int32, of crateID: Int64, _ transaction: Transaction) async throws {
        _ = try await transaction.execute("INSERT INTO owners (crate_id, user_id) VALUES (\(crateID), \(userID))")
    }

    /// Beside those who own the crate already.
    func makeOwner(_ userID: Int32, of crateID: Int64, _ transaction: Transaction) async throws {
        _ = try await transaction.execute(
            "INSERT INTO owners (crate_id, user_id) VALUES (\(crateID), \(userID)) ON CONFLICT DO NOTHING")
    }

    /// - Returns: the user's id.
    /// - Throws: `Refusal` if nobody of this name holds a token.
    func holder(login: String) async throws -> Int32 {
        let rows = try await pool.query(
            """
            SELECT id FROM users WHERE login = \(login)
              AND EXISTS (SELECT 1 FROM tokens WHERE tokens.user_id = users.id)
            """)
        guard let row = rows.first else { throw OwnersChange.unknown(login) }
        return try row.value("id", as: Int32.self)
    }

    /// Adds or removes owners; all of them or none.
    ///
    /// - Returns: the crate's name as it is stored.
    /// - Throws: `Refusal`: no such crate, not an owner, an unknown login, the last owner (H8).
    func change(
        _ change: OwnersChange, of crate: CrateName, in repository: Repository, by principal: Principal
    ) async throws -> String {
        let holder = try principal.require(.owners, in: repository.name, of: crate)
        return try await pool.withTransaction { transaction in
            guard let row = try await CrateRows.lock(crate, in: repository.id, transaction) else {
                throw Refusal.noSuchCrate(crate, in: repository.name)
            }
            if try await CrateRows.isOfUpstreams(row, transaction) { throw PublishCheck.notOurs(row.name) }
            let isOwner = try await isOwner(holder.userID, of: row.id, transaction)
            guard isOwner || principal.isAdmin(of: repository.name) else { throw PublishCheck.notOwner(crate) }
            switch change {
            case .add(let logins): try await add(logins, to: row.id, transaction)
            case .remove(let logins): try await remove(logins, from: row.id, transaction)
            }
            try await audit.record(
                AuditEntry(
                    actor: holder.login, tokenID: holder.tokenID, action: change.action, repository: repository.name,
                    crate: crate, detail: ["logins": change.logins.joined(separator: " ")]), in: transaction)
            return row.name
        }
    }

    private func add(_ logins: [String], to crateID: Int64, _ transaction: Transaction) async throws {
        let known = try await transaction.query(
            """
            SELECT login FROM users WHERE login = ANY(\(logins)::text[])
              AND EXISTS (SELECT 1 FROM tokens WHERE tokens.user_id = users.id)
            """
        ).map { try $0.value("login", as: String.self) }
        if let stranger = logins.first(where: { !known.contains($0) }) { throw OwnersChange.unknown(stranger) }
        _ = try await transaction.execute(
            """
            INSERT INTO owners (crate_id, user_id) SELECT \(crateID), id FROM users WHERE login = ANY(\(logins)::text[])
            ON CONFLICT DO NOTHING
            """)
    }

    private func remove(_ logins: [String], from crateID: Int64, _ transaction: Transaction) async throws {
        let owners = try await transaction.query(
            """
            SELECT login FROM owners JOIN users ON users.id = owners.user_id WHERE crate_id = \(crateID)
            """
        ).map { try $0.value("login", as: String.self) }
        try OwnersChange.check(removing: logins, from: owners)
        _ = try await transaction.execute(
            """
            DELETE FROM owners USING users
            WHERE owners.crate_id = \(crateID) AND users.id = owners.user_id AND users.login = ANY(\(logins)::text[])
            """)
    }
}

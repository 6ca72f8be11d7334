import FoundationEssentials
package import Postgres
package import Registry
package import Signing

/// Owns `users` and `tokens`. Secrets pass through once, when they are made; the tables know their SHA-256 only.
package struct TokenStore: Sendable {
    let pool: PostgresPool
    let events: EventLog
    let audit: AuditStore

    package init(pool: PostgresPool, events: EventLog, audit: AuditStore) {
        self.pool = pool
        self.events = events
        self.audit = audit
    }

    /// Makes a token, and its user if the login is new.
    ///
    /// - Returns: the record, and the secret: show it once, keep it nowhere.
    package func create(_ request: TokenRequest, by actor: Actor) async throws -> (
        record: TokenRecord, secret: SecretToken
    ) {
        let secret = SecretToken(kind: .token)
        let grants = try Self.json(request.grants)
        let record = try await pool.withTransaction { transaction in
            let user = try await Self.user(request.login, in: transaction)
            let rows = try await transaction.query(
                """
                WITH made AS (
                    INSERT INTO tokens (user_id, name, hash, grants, expires_at)
                    VALUES (\(user), \(request.name), \(secret.hash.bytes), \(grants)::jsonb,
                            now() + make_interval(secs => \(request.secondsToLive)::bigint))
                    RETURNING *
                )
                SELECT \(literal: TokenRecord.columns) FROM made AS tokens JOIN users ON users.id = tokens.user_id
                """)
            guard let row = rows.first else { preconditionFailure("an insert of one row returns it") }
            let record = try TokenRecord(row)
            try await note("token.create", record, by: actor, in: transaction)
            return record
        }
        return (record, secret)
    }

    /// - Parameter login: nil lists everyone's.
    package func list(login: String?) async throws -> [TokenRecord] {
        try await pool.query(
            """
            SELECT \(literal: TokenRecord.columns) FROM tokens JOIN users ON users.id = tokens.user_id
            WHERE users.login = coalesce(\(login), users.login) ORDER BY tokens.id
            """
        ).map(TokenRecord.init)
    }

    /// One token without its secret; nil if there is none of this id.
    package func find(id: Int64) async throws -> TokenRecord? {
        try await pool.query(
            """
            SELECT \(literal: TokenRecord.columns) FROM tokens JOIN users ON users.id = tokens.user_id
            WHERE tokens.id = \(id)
            """
        ).first.map(TokenRecord.init)
    }

    /// Ends a token for good; connected edges hear of it through the feed. Revoking twice changes nothing.
    ///
    /// - Returns: the position that edges must have applied; nil if it was revoked before.
    /// - Throws: 404 if there is no such token.
    package func revoke(id: Int64, by actor: Actor) async throws -> UInt64? {
        try await pool.withTransaction { transaction in
            let changed = try await transaction.execute(
                "UPDATE tokens SET revoked_at = now() WHERE id = \(id) AND revoked_at IS NULL")
            let rows = try await transaction.query(
                """
                SELECT \(literal: TokenRecord.columns) FROM tokens JOIN users ON users.id = tokens.user_id
                WHERE tokens.id = \(id)
                """)
            guard let row = rows.first else { throw Refusal.notFound("there is no token with the id \(id)") }
            guard changed > 0 else { return nil }
            let record = try TokenRecord(row)
            try await note("token.revoke", record, by: actor, in: transaction)
            return try await events.append([.token(subject: String(record.id))], in: transaction)
        }
    }

    /// Who holds the secret with this hash: a token, or the reason why it is none (any more).
    package func principal(hash: Checksum) async throws -> Principal {
        try await record(hash: hash).record.map(Self.principal) ?? .rejected(.unknown)
    }

    /// The token with this hash, in whatever state, and the feed position of the very snapshot it was read in.
    package func record(hash: Checksum) async throws -> (record: TokenRecord?, position: UInt64) {
        let rows = try await pool.query(
            """
            SELECT \(literal: EventLog.positionSQL) AS position, \(literal: TokenRecord.columns)
            FROM (SELECT) AS one_row
                LEFT JOIN (tokens JOIN users ON users.id = tokens.user_id) ON tokens.hash = \(hash.bytes)
            """)
        guard let row = rows.first else { throw FeedDamage.noHead }
        let isFound = try row.value("id", as: Int64?.self) != nil
        return (isFound ? try TokenRecord(row) : nil, try row.value("position", as: UInt64.self))
    }

    /// A token as it stands now, and the feed position of the very snapshot it was read in.
    func standing(id: Int64) async throws -> (principal: Principal, position: UInt64) {
        let rows = try await pool.query(
            """
            SELECT \(literal: EventLog.positionSQL) AS position, \(literal: TokenRecord.columns)
            FROM (SELECT) AS one_row LEFT JOIN (tokens JOIN users ON users.id = tokens.user_id) ON tokens.id = \(id)
            """)
        guard let row = rows.first else { throw FeedDamage.noHead }
        let isFound = try row.value("id", as: Int64?.self) != nil
        let principal = isFound ? try Self.principal(TokenRecord(row)) : .rejected(.unknown)
        return (principal, try row.value("position", as: UInt64.self))
    }

    private static func principal(_ record: TokenRecord) -> Principal {
        if record.revoked != nil { return .rejected(.revoked) }
        return record.isExpired ? .rejected(.expired) : .token(record.holder)
    }

    private static func user(_ login: String, in transaction: Transaction) async throws -> Int32 {
        let rows = try await transaction.query(
            """
            INSERT INTO users (login) VALUES (\(login))
            ON CONFLICT (login) DO UPDATE SET login = excluded.login RETURNING id
            """)
        guard let row = rows.first else { preconditionFailure("an upsert of one row returns it") }
        return try row.value("id", as: Int32.self)
    }

    private func note(
        _ action: String, _ record: TokenRecord, by actor: Actor, in transaction: Transaction
    ) async throws {
        let detail = [
            "token": String(record.id), "login": record.login, "name": record.name,
            "grants": record.grants.map(\.summary).joined(separator: "; "),
        ]
        try await audit.record(
            AuditEntry(actor: actor.name, tokenID: actor.tokenID, action: action, detail: detail), in: transaction)
    }

    private static func json(_ grants: [Grant]) throws -> String {
        String(decoding: try JSONEncoder().encode(grants), as: UTF8.self)
    }
}

import Postgres

/// Owns `audit_exports`: how far each export is, and who is at it.
struct ExportCursors: Sendable {
    let pool: PostgresPool

    /// Longer than a batch may take; whoever holds a cursor longer without a word has died.
    private static let holdSeconds = 120

    /// How far an export is.
    struct Standing: Encodable, Hashable, Sendable {
        let name: String
        let seq: Int64
        let updated: String
    }

    func list() async throws -> [Standing] {
        try await pool.query(
            """
            SELECT name, seq, to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated
            FROM audit_exports ORDER BY name
            """
        ).map { Standing(name: try $0.value("name"), seq: try $0.value("seq"), updated: try $0.value("updated")) }
    }

    /// Takes the cursor for one batch; the first time it begins behind `seq`.
    ///
    /// - Returns: the last line that was sent; nil if somebody else is at it.
    func hold(_ name: String, as holder: String, beginningAfter seq: Int64) async throws -> Int64? {
        let rows = try await pool.query(
            """
            INSERT INTO audit_exports (name, seq, holder, held_until)
            VALUES (\(name), \(seq), \(holder), now() + make_interval(secs => \(Self.holdSeconds)))
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
              WHERE audit_exports.holder = excluded.holder OR audit_exports.held_until < now()
            RETURNING seq
            """)
        return try rows.first?.value("seq")
    }

    /// Notes that everything up to `seq` has arrived.
    func advance(_ name: String, as holder: String, to seq: Int64) async throws {
        _ = try await pool.execute(
            """
            UPDATE audit_exports SET seq = \(seq), updated_at = now(),
              held_until = now() + make_interval(secs => \(Self.holdSeconds))
            WHERE name = \(name) AND holder = \(holder) AND seq < \(seq)
            """)
    }

    /// Lets others go on at once after a failure.
    ///
    /// - Parameter seq: where a new export began; if it still stands there it is taken away. Nil: it is no new one.
    func letGo(_ name: String, holder: String, unsentAt seq: Int64?) async throws {
        _ = try await pool.execute(
            "DELETE FROM audit_exports WHERE name = \(name) AND holder = \(holder) AND seq = \(seq)")
        try await release(name, holder: holder)
    }

    /// Lets others go on at once.
    func release(_ name: String, holder: String) async throws {
        _ = try await pool.execute(
            "UPDATE audit_exports SET held_until = now() WHERE name = \(name) AND holder = \(holder)")
    }

    /// The export that is furthest behind; nil if there is none.
    func lowest() async throws -> Int64? {
        try await pool.query("SELECT min(seq) AS seq FROM audit_exports").first?.value("seq", as: Int64?.self)
    }

    /// Forgets an export, so that archives need not wait for it any more.
    ///
    /// - Returns: false if there is none of this name.
    func forget(_ name: String, by actor: Actor) async throws -> Bool {
        try await pool.withTransaction { transaction in
            guard try await transaction.execute("DELETE FROM audit_exports WHERE name = \(name)") > 0 else {
                return false
            }
            try await AuditStore().record(
                AuditEntry(
                    actor: actor.name, tokenID: actor.tokenID, action: "audit.export.forget", detail: ["export": name]),
                in: transaction)
            return true
        }
    }
}

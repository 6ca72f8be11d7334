package import Logging
package import Postgres

/// Brings a database's schema up to what this program needs.
///
/// Any number of replicas may start at once: an advisory lock lets one of them work, the others find nothing to do.
/// Each migration is a transaction of its own, recorded in `schema_migrations` with the digest of its file.
package struct Migrator: Sendable {
    // The ASCII codes of "longship" (the lock must fit 8 bytes); any number that other programs on this database don't lock is as good.
    private static let lockKey: Int64 = 0x6c6f_6e67_7368_6970

    private let migrations: [Migration]

    package init(_ migrations: [Migration] = Migration.all) { self.migrations = migrations }

    /// Applies what is missing.
    ///
    /// - Returns: the migrations that were applied, in order; empty if the schema was up to date.
    /// - Throws: `MigrationError`, or `PostgresError` if the database cannot be reached.
    package func migrate(_ configuration: PostgresConfiguration, logger: Logger) async throws -> [Migration] {
        var patient = configuration
        patient.connectionsMax = 1
        // A migration of a large table takes as long as it takes; waiting for others has an end.
        patient.statementTimeout = .zero
        patient.lockTimeout = .seconds(60)
        let pool = try await PostgresPool.open(patient, logger: logger)
        do {
            let applied = try await pool.withConnection { try await migrate($0, logger) }
            await pool.close()
            return applied
        } catch {
            await pool.close()
            throw error
        }
    }

    private func migrate(_ session: PostgresSession, _ logger: Logger) async throws -> [Migration] {
        // The lock belongs to the session; if anything below throws, closing the session frees it.
        do { _ = try await session.query("SELECT pg_advisory_lock(\(Self.lockKey))") } catch let error as PostgresError
            where error.sqlState == SQLState.lockNotAvailable
        {
            throw MigrationError.busy
        }
        // Looked for first: a role that owns nothing may not even say "if it does not exist".
        if try await session.query("SELECT 1 WHERE to_regclass('schema_migrations') IS NOT NULL").isEmpty {
            try await session.run(script: Self.createTable)
        }
        let plan = try MigrationPlan(known: migrations, applied: try await applied(session))
        for migration in plan.missing {
            try await apply(migration, session)
            logger.notice(
                "migration \(migration.number) (\(migration.name)) applied", metadata: ["sha256": "\(migration.sha256)"]
            )
        }
        _ = try await session.query("SELECT pg_advisory_unlock(\(Self.lockKey))")
        return plan.missing
    }

    private func applied(_ session: PostgresSession) async throws -> [MigrationPlan.Applied] {
        try await session.query("SELECT number, name, sha256 FROM schema_migrations ORDER BY number").map { row in
            MigrationPlan.Applied(
                number: try row.value("number"), name: try row.value("name"), sha256: try row.value("sha256"))
        }
    }

    private func apply(_ migration: Migration, _ session: PostgresSession) async throws {
        do {
            try await session.transaction { transaction in
                try await transaction.run(script: migration.sql)
                _ = try await transaction.execute(
                    """
                    INSERT INTO schema_migrations (number, name, sha256)
                    VALUES (\(migration.number), \(migration.name), \(migration.sha256))
                    """)
            }
        } catch let error as PostgresError where error.kind == .refused {
            // The file holds no secrets, so the server's own words may be shown.
            throw MigrationError.failed(
                number: migration.number, name: migration.name,
                reason: "\(error.serverMessage) (\(error.sqlState ?? ""))")
        }
    }

    private static let createTable = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            number integer PRIMARY KEY,
            name text NOT NULL,
            sha256 text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
}

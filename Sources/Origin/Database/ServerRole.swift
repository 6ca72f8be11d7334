import Logging
import Postgres

/// The role that serves, where it is not the one that owns the tables: it may do what the registry does, and can neither
/// change nor delete lines of the audit log, nor the schema.
///
/// docs/OPERATIONS.md says how to make the two roles; the private PostgreSQL has them by itself.
enum ServerRole {
    /// In the private PostgreSQL.
    static let embedded = "longshore_server"

    /// Makes the private PostgreSQL's role; several programs may try at once.
    static func makeEmbedded(by owner: PostgresConfiguration, logger: Logger) async throws {
        try await withOwner(owner, logger: logger) { session in
            guard try await session.query("SELECT 1 FROM pg_roles WHERE rolname = \(embedded)").isEmpty else { return }
            try await session.run(
                script: """
                    DO $$ BEGIN
                        CREATE ROLE longshore_server LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
                    EXCEPTION WHEN duplicate_object OR unique_violation THEN
                    END $$
                    """)
        }
    }

    /// Gives the role what it needs and takes what it may not have, if that is not so already.
    ///
    /// - Parameter role: as PostgreSQL calls the server's side of the connection (`current_user`).
    static func grant(to role: String, by owner: PostgresConfiguration, logger: Logger) async throws {
        try await withOwner(owner, logger: logger) { session in
            guard try await needsGrant(role, session) else { return }
            try await session.transaction { transaction in
                // Two that grant at once would meet in the catalogue: "tuple concurrently updated".
                _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(lockKey))")
                _ = try await transaction.query("SELECT set_config('longshore.server_role', \(role), true)")
                try await transaction.run(script: grants)
            }
            logger.notice("the role \(role) may serve, and not change the audit log")
        }
    }

    // The ASCII codes of "shiprole".
    private static let lockKey: Int64 = 0x7368_6970_726f_6c65

    /// True also if somebody gave the role too much.
    private static func needsGrant(_ role: String, _ session: PostgresSession) async throws -> Bool {
        let rows = try await session.query(
            """
            SELECT \(role) <> current_user AND (
              EXISTS (
                SELECT 1 FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
                  AND NOT has_table_privilege(\(role), oid, 'SELECT'))
              OR has_table_privilege(\(role), 'audit', 'UPDATE, DELETE, TRUNCATE, TRIGGER')
              OR has_table_privilege(\(role), 'audit_head', 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
              OR has_table_privilege(\(role), 'audit_archives', 'INSERT, UPDATE, DELETE, TRUNCATE')
              OR has_table_privilege(\(role), 'audit_keys', 'UPDATE, DELETE, TRUNCATE')
            ) AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = \(role)) AS is_needed
            """)
        guard let row = rows.first else { preconditionFailure("a SELECT without FROM has one row") }
        return try row.value("is_needed")
    }

    private static let grants = """
        DO $$
        DECLARE
            role text := current_setting('longshore.server_role');
            home text := current_schema();
        BEGIN
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', home, role);
            EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', home, role);
            EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', home, role);
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE, TRIGGER ON audit FROM %I', role);
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER ON audit_head, audit_archives, '
                'schema_migrations FROM %I', role);
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON audit_keys FROM %I', role);
        END
        $$
        """

    private static func withOwner<Answer>(
        _ owner: PostgresConfiguration, logger: Logger, _ body: (PostgresSession) async throws -> Answer
    ) async throws -> Answer {
        var single = owner
        single.connectionsMax = 1
        let pool = try await PostgresPool.open(single, logger: logger)
        do {
            let answer = try await pool.withConnection(body)
            await pool.close()
            return answer
        } catch {
            await pool.close()
            throw error
        }
    }
}

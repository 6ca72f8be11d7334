import Foundation
import Hosting
import Logging
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// The private PostgreSQL with its two roles.
struct ServerRoleTests {
    @Test func `the role that serves can record, and can't rewrite what was recorded`() async throws {
        try await withTemporaryFolder("roles") { folder in
            // PostgreSQL runs as another user if we are root.
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
            var config = OriginConfig(
                address: SocketAddressText(host: "127.0.0.1", port: 0), dataFolder: folder + "/data")
            config.databaseConnectionsMax = 4
            let database = try await OriginDatabase.open(config, logger: .test)
            do {
                _ = try await database.migrate(logger: .test)
                try await check(database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
        }
    }

    @Test func `a role that an operator made gets what it needs from the owner's migration`() async throws {
        try await TestDatabase.with { pool, url in
            let role = "server_\(UInt64.random(in: .min ... .max))"
            try await pool.withConnection { try await $0.run(script: "CREATE ROLE \(role) LOGIN") }
            try await withTemporaryFolder("roles") { folder in
                var config = OriginConfig(
                    address: SocketAddressText(host: "127.0.0.1", port: 0), dataFolder: folder + "/data")
                config.databaseConnectionsMax = 4
                config.databaseURL = url + " user=\(role)"
                config.databaseOwnerURL = url
                let database = try await OriginDatabase.open(config, logger: .test)
                do {
                    _ = try await database.migrate(logger: .test)
                    try await check(database)
                    // Somebody means well.
                    try await pool.withConnection { try await $0.run(script: "GRANT ALL ON audit TO \(role)") }
                    _ = try await database.migrate(logger: .test)
                    let error = await #expect(throws: PostgresError.self) {
                        try await database.pool.execute("TRUNCATE audit")
                    }
                    #expect(error?.sqlState == "42501")
                    let rows = try await pool.query(
                        "SELECT has_table_privilege(\(role), 'audit', 'TRUNCATE, TRIGGER') AS may")
                    #expect(try rows.first?.value("may", as: Bool.self) == false)
                } catch {
                    await database.close()
                    throw error
                }
                await database.close()
            }
            try await pool.withConnection { try await $0.run(script: "DROP OWNED BY \(role); DROP ROLE \(role)") }
        }
    }

    private func check(_ database: OriginDatabase) async throws {
        let slices = OriginSlices(pool: database.pool, logger: .test)
        _ = try await slices.repositories.create(RepositoryName("main"), RepositorySettings(), by: .commandLine)
        #expect(try await slices.auditTrail.head().seq == 1)
        for statement: Query in [
            "UPDATE audit SET actor = 'eve'", "DELETE FROM audit", "TRUNCATE audit",
            "UPDATE audit_head SET seq = 0", "DELETE FROM audit_head", "ALTER TABLE audit DISABLE TRIGGER USER",
            "DROP TABLE audit", "UPDATE audit_keys SET public_key = public_key",
            "INSERT INTO audit_archives VALUES (1, 1, '')",
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "DELETE FROM schema_migrations",
        ] {
            let error = await #expect(throws: PostgresError.self) { try await database.pool.execute(statement) }
            #expect(error?.sqlState == "42501", "\(statement.sql): \(String(describing: error))")
        }
        // Not even with the word that the owner's archive uses.
        let error = await #expect(throws: PostgresError.self) {
            try await database.pool.withTransaction { transaction in
                try await transaction.run(script: "SET LOCAL longshore.audit_archive = 'on'")
                _ = try await transaction.execute("DELETE FROM audit")
            }
        }
        #expect(error?.sqlState == "42501")
        // A table of the same name that only the session sees does not stand before the head.
        try await database.pool.withConnection { session in
            try await session.run(
                script:
                    "CREATE TEMP TABLE audit_head AS SELECT true AS is_only_row, 41::bigint AS seq, hash FROM audit_head"
            )
            _ = try await session.execute("INSERT INTO audit (actor, action) VALUES ('eve', 'forged')")
            try await session.run(script: "DROP TABLE pg_temp.audit_head")
        }
        #expect(try await slices.auditTrail.head().seq == 2)
        // The role has no right to make tables, and finds out that there is nothing to make.
        #expect(try await Migrator().migrate(database.configuration, logger: .test).isEmpty)
    }
}

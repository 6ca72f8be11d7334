import Logging
import Postgres
import TestSupport
import Testing

@testable import Origin

struct MigratorTests {
    private static let first = Migration(1, "first", Array("CREATE TABLE a (n int); INSERT INTO a VALUES (1)".utf8))
    private static let second = Migration(2, "second", Array("ALTER TABLE a ADD m int".utf8))

    @Test func `the schema is made once, and a second run finds nothing to do`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, connectionString in
            let configuration = PostgresConfiguration(connectionString: connectionString)
            #expect(try await Migrator().migrate(configuration, logger: .test) == Migration.all)
            #expect(try await Migrator().migrate(configuration, logger: .test).isEmpty)
            let position = try await pool.query("SELECT position FROM feed_head")
            #expect(position.count == 1)
        }
    }

    @Test func `many at once apply each migration once`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, connectionString in
            let configuration = PostgresConfiguration(connectionString: connectionString)
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await Migrator([Self.first, Self.second]).migrate(configuration, logger: .test).count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(applied == 2)
            let rows = try await pool.query("SELECT * FROM a")
            #expect(rows.count == 1)
        }
    }

    @Test func `a migration that fails leaves nothing behind and names itself`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, connectionString in
            let configuration = PostgresConfiguration(connectionString: connectionString)
            let broken = Migration(2, "broken", Array("CREATE TABLE b (n int); SELECT nonsense".utf8))
            let error = await #expect(throws: MigrationError.self) {
                try await Migrator([Self.first, broken]).migrate(configuration, logger: .test)
            }
            #expect(error.map { "\($0)".contains("migration 2 (broken) failed") } == true)
            let tables = try await pool.query("SELECT to_regclass('a') IS NOT NULL AS a, to_regclass('b') IS NULL AS b")
            let row = try #require(tables.first)
            #expect(try row.value("a") == true)
            #expect(try row.value("b") == true)
            #expect(
                try await Migrator([Self.first, Self.second]).migrate(configuration, logger: .test) == [Self.second])
        }
    }

    @Test func `a changed file and a newer database are refused`() throws {
        let applied = [
            MigrationPlan.Applied(number: 1, name: "first", sha256: Self.first.sha256),
            MigrationPlan.Applied(number: 2, name: "second", sha256: Self.second.sha256),
        ]
        let changed = Migration(1, "first", Array("SELECT 1".utf8))
        #expect(throws: MigrationError.changed(number: 1, name: "first")) {
            try MigrationPlan(known: [changed, Self.second], applied: applied)
        }
        #expect(throws: MigrationError.databaseNewer(number: 2, name: "second", known: 1)) {
            try MigrationPlan(known: [Self.first], applied: applied)
        }
        #expect(try MigrationPlan(known: [Self.first, Self.second], applied: applied).missing.isEmpty)
    }

    @Test func `a digest is that of the file`() {
        #expect(
            Migration(1, "empty", []).sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}

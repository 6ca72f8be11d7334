import Logging
import Postgres
import TestSupport
import Testing

struct ErrorTests {
    @Test func `a violated constraint has a name and a state, and no data`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (word text CONSTRAINT words_differ UNIQUE)")
            let insert: Query = "INSERT INTO t VALUES (\("secret-word"))"
            #expect(try await pool.execute(insert) == 1)
            let error = try #require(await #expect(throws: PostgresError.self) { try await pool.execute(insert) })
            #expect(error.kind == .refused)
            #expect(error.sqlState == SQLState.uniqueViolation)
            #expect(error.constraint == "words_differ")
            #expect(error.severity == "ERROR")
            #expect(!"\(error)".contains("secret-word"))
            #expect(pool.figures.errors["sqlstate_23"] == 1)
        }
    }

    @Test func `a value of the wrong form is not quoted, a wrong table is`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            let data = await #expect(throws: PostgresError.self) { try await pool.query("SELECT \("hush")::int") }
            #expect(data?.sqlState == "22P02")
            #expect(data.map { "\($0)".contains("hush") } == false)
            let name = await #expect(throws: PostgresError.self) { try await pool.query("SELECT * FROM nowhere") }
            #expect(name.map { "\($0)".contains("nowhere") } == true)
            // The connection stays in use.
            let rows = try await pool.query("SELECT 1")
            #expect(rows.count == 1)
        }
    }

    @Test func `statement_timeout ends a statement, and the connection stays`() async throws {
        try await TestDatabase.with(isMigrated: false) { _, connectionString in
            var configuration = PostgresConfiguration(connectionString: connectionString)
            configuration.statementTimeout = .milliseconds(100)
            configuration.connectionsMax = 1
            let pool = try await PostgresPool.open(configuration, logger: .test)
            let before = try await pool.backend()
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT pg_sleep(60)") }
            #expect(error?.kind == .timedOut)
            #expect(try await pool.backend() == before)
            await pool.close()
        }
    }

    @Test func `a wrong password, database or address says so`() async throws {
        var wrongDatabase = ""
        try await TestDatabase.with(isMigrated: false) { _, connectionString in
            wrongDatabase = connectionString + (connectionString.contains("://") ? "&dbname=nope" : " dbname=nope")
        }
        for (connectionString, word) in [(wrongDatabase, "nope"), ("host=/nowhere", "/nowhere"), ("sill=y", "sill")] {
            var configuration = PostgresConfiguration(connectionString: connectionString)
            configuration.leaseTimeout = .milliseconds(200)
            let error = await #expect(throws: PostgresError.self) {
                try await PostgresPool.open(configuration, logger: .test)
            }
            #expect(error?.kind == .connectionFailed)
            #expect(error.map { "\($0)".contains(word) } == true)
        }
    }
}

extension PostgresPool {
    /// The process id of a connection's server process.
    func backend() async throws -> Int {
        try await query("SELECT pg_backend_pid() AS pid").first?.value("pid") ?? 0
    }
}

import Postgres
import Synchronization
import TestSupport
import Testing

struct TransactionTests {
    struct Objection: Error {}

    @Test func `what is thrown rolls back, what returns commits`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (n int)")
            await #expect(throws: Objection.self) {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    throw Objection()
                }
            }
            #expect(try await pool.query("SELECT * FROM t").isEmpty)
            let rows = try await pool.withTransaction { try await $0.execute("INSERT INTO t VALUES (1), (2)") }
            #expect(rows == 2)
            #expect(try await pool.query("SELECT * FROM t").count == 2)
        }
    }

    @Test func `serialization conflicts are retried until every increment counts`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 4) { _, connectionString in
            var configuration = PostgresConfiguration(connectionString: connectionString)
            configuration.connectionsMax = 4
            configuration.transactionAttemptsMax = 100
            let pool = try await PostgresPool.open(configuration, logger: .test)
            _ = try await pool.execute("CREATE TABLE t AS SELECT 0 AS n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        try await pool.withTransaction(isolation: .serializable) { transaction in
                            let seen: Int = try await transaction.query("SELECT n FROM t")[0].value("n")
                            _ = try await transaction.execute("UPDATE t SET n = \(seen + 1)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await pool.query("SELECT n FROM t").first?.value("n") == 30)
            #expect(pool.figures.retries > 0)
            await pool.close()
        }
    }

    @Test func `retries end after the number that is configured`() async throws {
        try await TestDatabase.with(isMigrated: false) { _, connectionString in
            var configuration = PostgresConfiguration(connectionString: connectionString)
            configuration.transactionAttemptsMax = 3
            let pool = try await PostgresPool.open(configuration, logger: .test)
            let attempts = Mutex(0)
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction { transaction in
                    attempts.withLock { $0 += 1 }
                    try await transaction.run(script: "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
                }
            }
            #expect(error?.sqlState == SQLState.serializationFailure)
            #expect(attempts.withLock { $0 } == 3)
            await pool.close()
        }
    }

    @Test func `a failure that the closure hides is no commit`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction { transaction in _ = try? await transaction.query("SELECT nonsense") }
            }
            #expect(error.map { "\($0)" }?.contains("rolled back") == true)
        }
    }

    @Test func `a connection lost during COMMIT is its own error and never retried`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 2) { pool, _ in
            // The deferred trigger runs inside COMMIT and ends its own connection there.
            try await pool.withConnection { session in
                try await session.run(
                    script: """
                        CREATE TABLE t (n int);
                        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$;
                        CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                            FOR EACH ROW EXECUTE FUNCTION die()
                        """)
            }
            let attempts = Mutex(0)
            let error = await #expect(throws: PostgresError.self) {
                try await pool.withTransaction { transaction in
                    attempts.withLock { $0 += 1 }
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                }
            }
            #expect(error?.kind == .commitOutcomeUnknown)
            #expect(attempts.withLock { $0 } == 1)
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test func `a connection lost before COMMIT is a transaction that may run again`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 2) { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (n int)")
            let attempts = Mutex(0)
            try await pool.withTransaction { transaction in
                _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                if attempts.withLock({ attempts in
                    attempts += 1; return attempts
                }) == 1 {
                    _ = try await transaction.query("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(1)")
                }
            }
            #expect(attempts.withLock { $0 } == 2)
            #expect(try await pool.query("SELECT * FROM t").count == 1)
        }
    }

    @Test func `a cancelled transaction leaves nothing and gives its connection back clean`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 1) { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (n int)")
            let isInside = Mutex(false)
            let task = Task {
                try await pool.withTransaction { transaction in
                    _ = try await transaction.execute("INSERT INTO t VALUES (1)")
                    isInside.withLock { $0 = true }
                    _ = try await transaction.query("SELECT pg_sleep(600)")
                }
            }
            while !isInside.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(1)) }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await pool.query("SELECT * FROM t").isEmpty)
        }
    }

    @Test func `a connection given back inside a transaction is rolled back`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 1) { pool, _ in
            _ = try await pool.execute("CREATE TABLE t (n int)")
            try await pool.withConnection { session in
                try await session.run(script: "BEGIN; INSERT INTO t VALUES (1)")
            }
            #expect(try await pool.query("SELECT * FROM t").isEmpty)
        }
    }
}

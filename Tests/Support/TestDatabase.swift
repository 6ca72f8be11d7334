import FoundationEssentials
package import Logging
package import Postgres

/// A database for each test, on one PostgreSQL that the test process starts when the first test asks.
///
/// The server runs without fsync in a folder of its own and ends with the process, however that ends (`TestServer`).
/// With `LONGSHORE_TEST_DATABASE_URL` set, databases are made on that server instead; its role must be allowed to.
package enum TestDatabase {
    // A server takes 100 connections; each test's pool opens at most 8, and some tests start programs that open more.
    private static let gate = TestGate(places: 6)

    /// Calls `body` with a pool on a fresh, migrated database and its connection string; drops the database after.
    ///
    /// Any number of tests may run at once; a few at a time hold a database. Don't nest.
    ///
    /// - Parameter isMigrated: false gives an empty database.
    package static func with<Answer>(
        isMigrated: Bool = true, connectionsMax: Int = 8,
        _ body: (_ pool: PostgresPool, _ connectionString: String) async throws -> Answer
    ) async throws -> Answer {
        let server = try await TestServer.shared.value
        return try await gate.through {
            let name = "test_\(UInt64.random(in: .min ... .max))"
            let connectionString = try await server.create(name, isMigrated: isMigrated)
            var configuration = PostgresConfiguration(connectionString: connectionString)
            configuration.connectionsMax = connectionsMax
            // Many suites share few cores; what waits here is no failure of the code under test.
            configuration.leaseTimeout = .seconds(60)
            let pool = try await PostgresPool.open(configuration, logger: .test)
            do {
                let answer = try await body(pool, connectionString)
                await pool.close()
                try await server.drop(name)
                return answer
            } catch {
                await pool.close()
                // The test's own failure counts; a database that stays behind goes with the server.
                try? await server.drop(name)
                throw error
            }
        }
    }
}

extension Logger {
    /// Warnings and worse, to standard error.
    package static var test: Logger {
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        return logger
    }
}

/// Lets a number of tasks through at a time, the others in turn.
actor TestGate {
    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) { self.places = places }

    nonisolated func through<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        await enter()
        do {
            let answer = try await body()
            await leave()
            return answer
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async {
        if places > 0 { places -= 1 } else { await withCheckedContinuation { waiting.append($0) } }
    }

    private func leave() {
        if waiting.isEmpty { places += 1 } else { waiting.removeFirst().resume() }
    }
}

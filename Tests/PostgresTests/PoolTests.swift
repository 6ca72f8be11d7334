import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

struct PoolTests {
    @Test func `many tasks share few connections, and each gets its turn`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 3) { pool, _ in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...200 {
                    group.addTask { try await pool.query("SELECT \(number)::int AS n").first?.value("n") ?? 0 }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 20100)
            let figures = pool.figures
            #expect(figures.busy == 0 && figures.waiting == 0)
            #expect((1...3).contains(figures.idle))
        }
    }

    @Test func `a task that waited too long is told that all connections are busy`() async throws {
        try await TestDatabase.with(isMigrated: false) { _, connectionString in
            let pool = try await Self.pool(connectionString, connectionsMax: 1, leaseTimeout: .milliseconds(100))
            try await pool.withConnection { session in
                _ = try await session.query("SELECT 1")
                let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
                #expect(error?.kind == .poolBusy)
                #expect(error.map { "\($0)" }?.contains("all 1 database connections are busy") == true)
            }
            #expect(try await pool.query("SELECT 1").count == 1)
            #expect(pool.figures.waiting == 0)
            await pool.close()
        }
    }

    @Test func `a full queue refuses at once, and a cancelled waiter leaves it`() async throws {
        try await TestDatabase.with(isMigrated: false) { _, connectionString in
            let pool = try await Self.pool(
                connectionString, connectionsMax: 1, leaseTimeout: .seconds(60), waitingMax: 1)
            try await pool.withConnection { _ in
                let waiter = Task { try await pool.query("SELECT 1").count }
                while pool.figures.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
                let refused = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
                #expect(refused?.kind == .poolBusy)
                waiter.cancel()
                await #expect(throws: CancellationError.self) { try await waiter.value }
                #expect(pool.figures.waiting == 0)
            }
            await pool.close()
        }
    }

    @Test func `a closed pool refuses, and tells who waits`() async throws {
        try await TestDatabase.with(isMigrated: false) { _, connectionString in
            let pool = try await Self.pool(connectionString, connectionsMax: 1, leaseTimeout: .seconds(60))
            try await pool.withConnection { _ in
                let waiter = Task { try await pool.query("SELECT 1").count }
                while pool.figures.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
                await pool.close()
                let error = await #expect(throws: PostgresError.self) { try await waiter.value }
                #expect(error?.kind == .closed)
            }
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
            #expect(error?.kind == .closed)
            #expect(pool.figures.busy == 0 && pool.figures.idle == 0)
        }
    }

    @Test func `a cancelled task cancels its statement at the server`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 2) { pool, _ in
            let sleeper = Task { try await pool.query("SELECT pg_sleep(600)") }
            let running: Query = """
                SELECT pid FROM pg_stat_activity
                WHERE query LIKE '%pg_sleep(600)%' AND state = 'active' AND pid <> pg_backend_pid()
                    AND datname = current_database()
                """
            while try await pool.query(running).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            sleeper.cancel()
            await #expect(throws: CancellationError.self) { try await sleeper.value }
            #expect(try await pool.query(running).isEmpty)
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test func `cancelling at any moment leaves the pool whole`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 4) { pool, _ in
            for round in 0..<200 {
                let task = Task { try await pool.query("SELECT \(round)::int AS n, pg_sleep(0.001)").count }
                if round % 3 != 0 { try await Task.sleep(for: .microseconds(round * 10)) }
                task.cancel()
                _ = await task.result
            }
            let all = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<40 {
                    group.addTask { try await pool.query("SELECT \(number)::int AS n").first?.value("n") ?? -1 }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(all == Set(0..<40))
            #expect(pool.figures.busy == 0 && pool.figures.opening == 0)
        }
    }

    @Test func `a terminated idle connection is replaced without anybody noticing`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 1) { pool, connectionString in
            let other = try await Self.pool(connectionString, connectionsMax: 1, leaseTimeout: .seconds(5))
            let before = try await pool.backend()
            _ = try await other.query("SELECT pg_terminate_backend(\(before)::int)")
            while pool.figures.idle > 0 { try await Task.sleep(for: .milliseconds(2)) }
            #expect(try await pool.backend() != before)
            await other.close()
        }
    }

    @Test func `a statement whose connection is terminated fails once, and the next works`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 2) { pool, _ in
            let pid = Mutex(0)
            let sleeper = Task {
                try await pool.withConnection { session in
                    let own: Int = try await session.query("SELECT pg_backend_pid() AS pid")[0].value("pid")
                    pid.withLock { $0 = own }
                    return try await session.query("SELECT pg_sleep(600)").count
                }
            }
            while pid.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(2)) }
            _ = try await pool.query("SELECT pg_terminate_backend(\(pid.withLock { $0 })::int)")
            let error = await #expect(throws: PostgresError.self) { try await sleeper.value }
            #expect(error?.kind == .connectionLost)
            #expect(try await pool.query("SELECT 1").count == 1)
        }
    }

    @Test func `a session used after its end is refused`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, _ in
            let escaped = try await pool.withConnection { $0 }
            let error = await #expect(throws: PostgresError.self) { try await escaped.query("SELECT 1") }
            #expect(error?.kind == .closed)
        }
    }

    static func pool(
        _ connectionString: String, connectionsMax: Int, leaseTimeout: Duration, waitingMax: Int = 512
    ) async throws -> PostgresPool {
        var configuration = PostgresConfiguration(connectionString: connectionString)
        configuration.connectionsMax = connectionsMax
        configuration.leaseTimeout = leaseTimeout
        configuration.waitingMax = waitingMax
        return try await PostgresPool.open(configuration, logger: .test)
    }
}

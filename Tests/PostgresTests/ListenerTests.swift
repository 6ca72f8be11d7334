import Logging
import Postgres
import TestSupport
import Testing

struct ListenerTests {
    @Test(.timeLimit(.minutes(1)))
    func `notifications arrive, and a broken connection is made again and says so`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 2) { pool, connectionString in
            var configuration = PostgresConfiguration(connectionString: connectionString)
            configuration.applicationName = "the listener"
            let listener = PostgresListener(configuration, channels: ["feed", "Odd \"name\""], logger: .test)
            var events = listener.events().makeAsyncIterator()
            #expect(await events.next() == .reconnected)

            _ = try await pool.query("SELECT pg_notify('feed', '42')")
            #expect(await events.next() == .notification(channel: "feed", payload: "42"))
            _ = try await pool.query("SELECT pg_notify(\("Odd \"name\""), '')")
            #expect(await events.next() == .notification(channel: "Odd \"name\"", payload: ""))

            _ = try await pool.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the listener'")
            #expect(await events.next() == .reconnected)
            _ = try await pool.query("SELECT pg_notify('feed', '43')")
            #expect(await events.next() == .notification(channel: "feed", payload: "43"))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a reader that is far behind learns that it missed something`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 2) { pool, connectionString in
            let listener = PostgresListener(
                PostgresConfiguration(connectionString: connectionString), channels: ["feed"], logger: .test)
            let stream = listener.events()
            var events = stream.makeAsyncIterator()
            #expect(await events.next() == .reconnected)
            let burst = PostgresListener.backlogMax * 4
            var markers = 0
            // Whether a burst arrives before this task reads again is chance, so it is tried until it did.
            while markers == 0 {
                _ = try await pool.query("SELECT pg_notify('feed', i::text) FROM generate_series(1, \(burst)) AS i")
                _ = try await pool.query("SELECT pg_notify('feed', 'last')")
                while let event = await events.next(), event != .notification(channel: "feed", payload: "last") {
                    if event == .reconnected { markers += 1 }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a reader that stops ends the connection`() async throws {
        try await TestDatabase.with(isMigrated: false, connectionsMax: 2) { pool, connectionString in
            var configuration = PostgresConfiguration(connectionString: connectionString)
            configuration.applicationName = "a listener that stops"
            let listener = PostgresListener(configuration, channels: ["feed"], logger: .test)
            let reader = Task { for await _ in listener.events() {} }
            let alive: Query = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'a listener that stops'"
            while try await pool.query(alive).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
            reader.cancel()
            while try await !pool.query(alive).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
        }
    }
}

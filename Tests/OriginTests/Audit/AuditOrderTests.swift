import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// Who changes something takes the lock of the audit log after all others but the feed's: whoever holds it waits for nobody.
struct AuditOrderTests {
    @Test(arguments: ["publish", "import"])
    func `a change that waits for advisories does not hold the audit log`(change: String) async throws {
        try await SliceOrigin.with { origin, alice in
            let changing = try await origin.pool.withTransaction { sync in
                // As `AdvisorySync` does it: its own lock, then a line of audit.
                _ = try await sync.query("SELECT pg_advisory_xact_lock(\(AdvisoryStore.lock))")
                let task = Task {
                    guard change == "publish" else { return try await origin.importOne("foo") }
                    let answer = try await origin.publish(MadeCrate("foo", "1.0.0"), alice)
                    #expect(answer.status == 200, "\(answer.body)")
                }
                try await waitUntilSomebodyWaits(origin.pool)
                try await sync.run(script: "SET LOCAL lock_timeout = '500ms'")
                try await AuditStore().record(AuditEntry(actor: "ann", action: "advisories.sync"), in: sync)
                return task
            }
            try await changing.value
            let actions = try await AuditTrail(pool: origin.pool).lines(after: 0, upTo: 99).map(\.action)
            #expect(actions.suffix(2) == ["advisories.sync", change == "publish" ? "publish-new" : "import"])
        }
    }

    private func waitUntilSomebodyWaits(_ pool: PostgresPool) async throws {
        for _ in 0..<1000 {
            let rows = try await pool.query(
                """
                SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """)
            if !rows.isEmpty { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("nobody waited for the advisories")
    }
}

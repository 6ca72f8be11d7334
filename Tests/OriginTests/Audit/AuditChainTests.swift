import Foundation
import Postgres
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Origin

/// The chain in a real PostgreSQL, and what a superuser can do to it unseen: nothing, once a checkpoint lies elsewhere.
struct AuditChainTests {
    @Test func `an honest log verifies, whatever stands in it`() async throws {
        try await AuditScene.with(lines: 3) { scene in
            try await scene.record(
                "odd",
                detail: ["quote\"": "back\\slash / ö 🦀", "a\u{7f}b": "line\nfeed\u{0}", "Zed": "é", "ab": "", "a": "1"])
            #expect(try await scene.problems() == [])
            #expect(try await scene.trail.head().seq == 4)
        }
    }

    @Test func `jq and sha256sum alone give each line's hash`() async throws {
        try await AuditScene.with(lines: 2) { scene in
            try await scene.record("odd", detail: ["Zed": "\"\\ é 🦀 /", "a": "tab\t", "B": "\u{7f}"])
            for line in try await scene.trail.lines(after: 0, upTo: 10) {
                let said = try await runTool(
                    "sh",
                    ["-c", #"printf '%s' "$1" | jq -cSj 'del(.hash)' | sha256sum | cut -d' ' -f1"#, "sh", line.json])
                #expect(said.output == line.hash + "\n", "\(line.json)")
            }
        }
    }

    /// docs/OPERATIONS.md, "The audit log".
    @Test func `the page's loop checks an export, and finds the line that was changed`() async throws {
        let project = #filePath.components(separatedBy: "/Tests/")[0]
        let page = try String(contentsOfFile: project + "/docs/OPERATIONS.md", encoding: .utf8)
        let loop = try #require(page.components(separatedBy: "\n```\n").first { $0.contains("sha256sum") })
        try await AuditScene.with(lines: 4) { scene in
            try await withTemporaryFolder("export") { folder in
                let lines = try await scene.trail.lines(after: 0, upTo: 99).map(\.json)
                for (changed, status) in [(lines, Int32(0)), (lines.filter { !$0.contains("action-2") }, 1)] {
                    try (changed.joined(separator: "\n") + "\n").write(
                        toFile: folder + "/audit.jsonl", atomically: true, encoding: .utf8)
                    let said = try await runTool("bash", ["-c", "cd '\(folder)'\n" + loop])
                    #expect(said.status == status, "\(said.text)")
                    #expect(said.text.contains("broken: ") == (status == 1))
                }
            }
        }
    }

    @Test func `many at once make one chain without gaps, and none waits for ever`() async throws {
        try await AuditScene.with { scene in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for number in 0..<10 {
                            // Audit, then feed, as every change does it; each third one is rolled back.
                            try? await scene.pool.withTransaction { transaction in
                                try await AuditStore().record(
                                    AuditEntry(actor: "ann", action: "t\(task)"), in: transaction)
                                _ = try await EventLog().append([.edges], in: transaction)
                                if number % 3 == 0 { throw CancellationError() }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await scene.trail.head().seq == 48)
            #expect(try await scene.problems() == [])
        }
    }

    @Test func `no line is changed, deleted or truncated by a role that only owns the tables`() async throws {
        try await AuditScene.with(lines: 2) { scene in
            for statement: Query in [
                "UPDATE audit SET actor = 'eve' WHERE seq = 1", "DELETE FROM audit WHERE seq = 2", "TRUNCATE audit",
            ] {
                let error = await #expect(throws: PostgresError.self) { try await scene.pool.execute(statement) }
                #expect(error?.sqlState == "42501", "\(statement.sql)")
            }
            let problems = try await scene.problems()
            #expect(problems.isEmpty)
        }
    }

    @Test func `what an inserter says of number, time and hash does not count`() async throws {
        try await AuditScene.with(lines: 1) { scene in
            _ = try await scene.pool.execute(
                """
                INSERT INTO audit (actor, action, seq, prev, hash, at)
                VALUES ('eve', 'forged', 99, decode(repeat('11', 32), 'hex'), decode(repeat('22', 32), 'hex'), '2001-01-01Z')
                """)
            let line = try #require(try await scene.trail.lines(after: 1, upTo: 99).first)
            #expect(line.seq == 2 && !line.at.hasPrefix("2001") && line.hash == line.expectedHash)
            #expect(try await scene.problems() == [])
        }
    }

    private static let tampering: [(String, script: String, finding: String)] = [
        ("a field", "UPDATE audit SET actor = 'eve' WHERE seq = 3", "line 3 was changed"),
        ("a detail", "UPDATE audit SET detail = '{\"sha256\":\"x\"}' WHERE seq = 3", "line 3 was changed"),
        ("a time", "UPDATE audit SET at = at - interval '1 microsecond' WHERE seq = 3", "line 3 was changed"),
        ("an address", "UPDATE audit SET address = '10.9.9.9' WHERE seq = 3", "line 3 was changed"),
        (
            "two lines",
            "UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); "
                + "UPDATE audit SET seq = -seq WHERE seq < 0", "line 2 was changed"
        ),
        ("the middle", "DELETE FROM audit WHERE seq = 3", "lines 3 to 3 are missing"),
        ("the front", "DELETE FROM audit WHERE seq <= 2", "the chain begins at line 3"),
        ("the end", "DELETE FROM audit WHERE seq >= 5", "the chain ends at line 4"),
        ("all", "DELETE FROM audit", "the chain ends at line 0"),
        (
            "a line and its hash",
            "UPDATE audit a SET actor = 'eve' WHERE seq = 3; UPDATE audit a SET hash = "
                + "sha256(convert_to(audit_canonical(a), 'UTF8')) WHERE seq = 3", "line 4 does not follow line 3"
        ),
        (
            "the last hash", "UPDATE audit SET hash = decode(repeat('00', 32), 'hex') WHERE seq = 5",
            "line 5 was changed"
        ),
        ("the head", "UPDATE audit_head SET hash = decode(repeat('00', 32), 'hex')", "the head names another hash"),
    ]

    @Test(arguments: tampering.indices)
    func `a superuser's hand shows`(place: Int) async throws {
        let (what, script, finding) = Self.tampering[place]
        try await AuditScene.with(lines: 5) { scene in
            try await scene.tamper(script)
            let problems = try await scene.problems()
            #expect(problems.contains { $0.hasPrefix(finding) }, "\(what): \(problems)")
        }
    }

    @Test func `a chain that was written anew shows by a checkpoint only`() async throws {
        try await AuditScene.with(lines: 5) { scene in
            let checkpoint = try await scene.keys.checkpoint(scene.seal)
            let keys = try await scene.keys.publicKeys()
            try await scene.record("later")
            try await scene.tamper("UPDATE audit SET actor = 'eve' WHERE seq = 3")
            try await scene.chainAnew(from: 3)
            #expect(try await scene.problems() == [])
            let problems = try await scene.problems([checkpoint], keys: keys)
            #expect(problems == ["line 6 is not the one that a checkpoint signed: the chain was written anew"])
        }
    }

    @Test func `an end that was cut off together with the head shows by a checkpoint only`() async throws {
        try await AuditScene.with(lines: 5) { scene in
            let checkpoint = try await scene.keys.checkpoint(scene.seal)
            #expect(checkpoint.seq == 6)
            try await scene.tamper(
                """
                DELETE FROM audit WHERE seq > 4;
                UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit WHERE seq = 4)
                """)
            #expect(try await scene.problems() == [])
            let problems = try await scene.problems([checkpoint])
            #expect(problems == ["a checkpoint signed line 6, but the chain ends at 4: the end was cut off"])
            // Lines that come after it do not hide it.
            for number in 0..<4 { try await scene.record("after-\(number)") }
            #expect(try await scene.problems([checkpoint]).contains { $0.hasPrefix("line 6 is not the one") })
        }
    }

    @Test func `a checkpoint signed by another key than the one that was kept counts for nothing`() async throws {
        try await AuditScene.with(lines: 2) { scene in
            let kept = try await scene.keys.signer(scene.seal)
            let keys = [try #require(AuditPublicKey(kept.publicKey))]
            // Who rewrites the log makes a key and a checkpoint that fit.
            let forged = try AuditCheckpoint(
                try await scene.trail.head(), at: "2026-11-25T00:00:00.000000Z", signedBy: AuditKey())
            #expect(try await scene.problems([forged], keys: keys).count == 1)
            let honest = try await scene.keys.checkpoint(scene.seal)
            #expect(try await scene.problems([honest], keys: keys) == [])
            let altered = try AuditCheckpoint(parsing: honest.json.replacing("\"seq\":3", with: "\"seq\":2"))
            #expect(try await scene.problems([altered], keys: keys).count == 1)
        }
    }

    @Test func `lines from before the migration are chained by it, in their order`() async throws {
        try await TestDatabase.with(isMigrated: false) { pool, connectionString in
            let configuration = PostgresConfiguration(connectionString: connectionString)
            let before = Migration.all.filter { $0.name != "audit" && $0.number < 11 }
            _ = try await Migrator(before).migrate(configuration, logger: .test)
            for number in 1...3 {
                _ = try await pool.execute(
                    "INSERT INTO audit (actor, action, detail) VALUES ('ann', \("old-\(number)"), '{\"a\":\"1\"}')")
            }
            // A transaction that failed leaves a hole in the identity, and none in the chain.
            _ = try? await pool.execute("INSERT INTO audit (actor, action) VALUES ('ann', NULL)")
            _ = try await pool.execute("INSERT INTO audit (actor, action) VALUES ('ann', 'old-4')")
            _ = try await Migrator().migrate(configuration, logger: .test)
            let seal = try KeySeal(secret: "a secret of more than twenty characters", source: "the test")
            let scene = AuditScene(pool: pool, seal: seal)
            #expect(try await scene.trail.lines(after: 0, upTo: 9).map(\.action) == (1...4).map { "old-\($0)" })
            #expect(try await scene.problems() == [])
        }
    }
}

import Foundation
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

struct AuditQueryTests {
    private func numbers(_ answer: HTTPAnswer) -> [Int] {
        (answer.json["lines"] as? [[String: Any]] ?? []).compactMap { $0["seq"] as? Int }
    }

    @Test func `pages go backward from the newest and forward from any number, without a line twice`() async throws {
        try await TestOrigin.with { origin in
            let root = try await origin.token("root", [.admin])
            for number in 0..<9 { try await origin.repository("r\(number)") }
            func page(_ query: String) async throws -> HTTPAnswer {
                let answer = try await origin.call("GET", "/api/v1/audit?\(query)", as: .token(root))
                #expect(answer.status == 200, "\(answer.text)")
                return answer
            }
            let newest = try await page("limit=4")
            #expect(numbers(newest) == [10, 9, 8, 7] && newest.json["next"] as? Int == 7)
            #expect(numbers(try await page("limit=4&before=7")) == [6, 5, 4, 3])
            let oldest = try await page("limit=6&after=0")
            #expect(numbers(oldest) == [1, 2, 3, 4, 5, 6] && oldest.json["next"] as? Int == 6)
            let last = try await page("limit=6&after=6")
            #expect(numbers(last) == [7, 8, 9, 10] && last.json["next"] is NSNull)
            #expect(numbers(try await page("action=token.create")) == [1])
            #expect(numbers(try await page("repository=r3&since=1h")) == [5])
            #expect(numbers(try await page("until=2026-01-01")) == [])
            #expect(numbers(try await page("actor=command%20line&limit=2")) == [10, 9])
            for query in [
                "limit=0", "limit=1001", "since=yesterday", "version=1.0.0", "after=1&before=2", "crate=%20",
                "actr=ann",
            ] {
                let refused = try await origin.call("GET", "/api/v1/audit?\(query)", as: .token(root))
                #expect(refused.status == 400, "\(query)")
            }
        }
    }

    @Test func `a crate is found whatever its spelling, and its versions apart`() async throws {
        try await AuditScene.with(lines: 2) { scene in
            try await scene.pool.withTransaction { transaction in
                try await AuditStore().record(
                    AuditEntry(actor: "ann", action: "yank", crate: try CrateName("foo_bar"), version: "2.0.0"),
                    in: transaction)
                try await AuditStore().record(
                    AuditEntry(actor: "ann", action: "yank", crate: try CrateName("foo")), in: transaction)
            }
            let crate = try CrateName("FOO-bar")
            #expect(try await scene.trail.list(.init(crate: crate)).map(\.seq) == [3, 2, 1])
            #expect(try await scene.trail.list(.init(crate: crate, version: "2.0.0")).map(\.seq) == [3])
        }
    }

    @Test func `questions go through indexes`() async throws {
        try await AuditScene.with { scene in
            try await scene.pool.withConnection { session in
                // Through the trigger this would take a while; the planner only wants rows.
                try await session.run(
                    script: """
                        ALTER TABLE audit DISABLE TRIGGER USER;
                        INSERT INTO audit (seq, prev, hash, at, actor, token_id, action, repository, crate, version)
                        SELECT n, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'),
                          now() - make_interval(mins => 50000 - n), 'user' || n % 300, n % 300, 'action' || n % 40, 'main',
                          'crate-' || n % 500, '1.0.0'
                        FROM generate_series(1, 50000) AS n;
                        ANALYZE audit;
                        INSERT INTO pulls (at, edge, repository, crate, version, bytes, cache)
                        SELECT now(), 'eu', 'main', 'crate' || n % 500, '1.0.' || n % 7, 1, 'HIT'
                        FROM generate_series(1, 50000) AS n;
                        ANALYZE pulls
                        """)
            }
            let crate = try CrateName("crate-7")
            let filters: [(String, AuditFilter)] = [
                ("newest", .init()), ("after", .init(after: 49_000)), ("before", .init(before: 500)),
                ("crate", .init(crate: crate)), ("version", .init(crate: crate, version: "1.0.0")),
                ("actor", .init(actor: "user7")), ("token", .init(token: 7)), ("action", .init(action: "action7")),
                ("since", .init(since: AuditTime("1h", now: Int(Date.now.timeIntervalSince1970)))),
                ("until", .init(until: AuditTime("30d", now: Int(Date.now.timeIntervalSince1970)))),
            ]
            var queries = filters.map { ($0.0, AuditTrail.statement($0.1)) }
            queries.append(("builds", ReadStore.builds(try CrateName("crate7"), try Version("1.0.3"), nil)))
            for (name, query) in queries {
                let plan = try await scene.pool.query(query.explained).map {
                    try $0.value("QUERY PLAN", as: String.self)
                }
                let scans = plan.filter { $0.contains("Seq Scan on audit") || $0.contains("Seq Scan on pulls") }
                #expect(scans.isEmpty && !plan.isEmpty, "\(name):\n\(plan.joined(separator: "\n"))")
            }
        }
    }

    @Test func `which builds pulled a version is told by token, edge and time`() async throws {
        try await TestOrigin.with { origin in
            let ci = try await origin.made("ci", [.read])
            _ = try await origin.slices.pool.execute(
                """
                INSERT INTO pulls (at, edge, repository, crate, version, token_id, bytes, cache) VALUES
                  ('2026-11-25 08:00Z', 'eu', 'main', 'tidewater', '0.1.0', \(ci.record.id), 1, 'HIT'),
                  ('2026-11-25 09:00Z', 'eu', 'main', 'tidewater', '0.1.0', \(ci.record.id), 1, 'HIT'),
                  ('2026-11-25 07:00Z', '', 'other', 'tidewater', '0.1.0', NULL, 1, 'HIT'),
                  ('2026-11-25 10:00Z', 'eu', 'main', 'tidewater', '0.2.0', \(ci.record.id), 1, 'HIT')
                """)
            _ = try await origin.slices.pool.execute(
                """
                INSERT INTO read_counts (repository, crate, version, day, edge, count)
                VALUES ('main', 'tidewater', '0.1.0', '2026-11-25', 'eu', 12)
                """)
            let reads = origin.slices.reads
            let found = try await reads.builds(of: CrateName("tidewater"), Version("0.1.0"), in: nil)
            #expect(
                found.builds == [
                    .init(
                        repository: "main", token: ci.record.id, name: "test", login: "ci", edge: "eu", address: nil,
                        count: 2,
                        first: "2026-11-25T08:00:00Z", last: "2026-11-25T09:00:00Z"),
                    .init(
                        repository: "other", token: nil, name: nil, login: nil, edge: nil, address: nil, count: 1,
                        first: "2026-11-25T07:00:00Z", last: "2026-11-25T07:00:00Z"),
                ])
            #expect(found.nameless == 9)
            let main = try RepositoryName("main")
            #expect(try await reads.builds(of: CrateName("tidewater"), Version("0.1.0"), in: main).builds.count == 1)
        }
    }
}

struct AuditActionsTests {
    @Test(arguments: ["*", "publish", "publish*", "token.*", "access.refused", "audit.export.forget"])
    func `what fits an action is taken`(pattern: String) { #expect(AuditActions.problem(pattern) == nil) }

    @Test(arguments: [
        ("pubish", "there are publish, publish-new"), ("token.created", "there are token.create, token.revoke"),
        ("tokens.*", "there are publish"), ("", "there are publish"),
    ])
    func `a misspelled action is told what there is`(pattern: String, words: String) {
        #expect(AuditActions.problem(pattern)?.contains(words) == true, "\(AuditActions.problem(pattern) ?? "")")
    }

    /// Else `webhook add` would refuse an action that there is.
    @Test func `every action that the origin's sources name is listed`() throws {
        let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Sources/Origin").standardized
        let files = try #require(FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil))
        var named: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: #/(?:\baction: |\bannounce\(\s*)"([a-z.-]+)"/#) {
                named.insert(String(match.1))
            }
        }
        #expect(named.count > 15, "the sources write it in another way now: \(named.sorted())")
        #expect(named.subtracting(AuditActions.all) == [])
    }
}

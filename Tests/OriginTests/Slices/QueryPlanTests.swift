import CrateFile
import Foundation
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// The hot reads must not walk through tables that grow with the registry.
struct QueryPlanTests {
    @Test func `index, download, search and closure read through indexes`() async throws {
        try await SliceOrigin.with { origin, alice in
            for name in ["serde", "serde-json"] { _ = try await origin.publish(MadeCrate(name, "1.0.0"), alice) }
            try await fill(origin.pool)
            let repository = try await origin.repositories.require(RepositoryName("main"))
            let index = IndexStore.statement(
                try CrateName("serde-json").indexPath, in: repository, known: [])
            let crate = CrateStore.statement(
                try CrateName("serde-json"), try Version("1.0.0"), nil, in: repository)
            let search = SearchStore.statement(
                SearchQuery("serde"), in: repository,
                within: CrateScope(.anonymous, in: repository), page: SearchPage(perPage: nil, page: nil))
            let level = ClosureStore.level([try CrateName("serde").indexPath], in: repository)
            for (query, name) in [(index, "index"), (crate, "crate"), (search, "search"), (level, "closure")] {
                try await expectIndexes(query, name, origin.pool)
            }
        }
    }

    // A repository that fills through its upstreams grows faster than PostgreSQL gathers statistics.
    @Test func `what crates need, and how names stand at upstreams, are found through indexes without statistics too`()
        async throws
    {
        try await SliceOrigin.with { origin, _ in
            let repository = try await origin.repositories.require(RepositoryName("main"))
            _ = try await origin.pool.execute(
                """
                INSERT INTO upstreams (repository_id, name, index_url, include, exclude, fresh_seconds, private_allowed, place)
                VALUES (\(repository.id), 'up', 'sparse+https://up.example/', ARRAY['*'], ARRAY[]::text[], 60, false, 1)
                """)
            try await fill(origin.pool, isAnalyzed: false)
            let ids = try await origin.pool.query("SELECT id FROM crates ORDER BY id LIMIT 20").map {
                try $0.value("id", as: Int64.self)
            }
            let names = try (1...20).map { try CrateName("crate\($0)") }
            let needs = NeedsStore.texts(ids, ids.map { _ in "1.0.0" })
            let standings = UpstreamStore.standings(of: names, in: repository)
            for (query, name) in [(needs, "needs"), (standings, "standings")] {
                try await expectIndexes(query, name, origin.pool)
            }
        }
    }

    @Test func `what is asked of the access log, and its pruning, go through indexes`() async throws {
        try await SliceOrigin.with { origin, _ in
            try await fillReads(origin.pool)
            let crate = try CrateName("crate7")
            var filters: [(ReadStore.PullFilter, String)] = [(.init(), "all pulls"), (.init(before: 500), "before")]
            filters.append((.init(edge: "edge3"), "edge"))
            filters.append((.init(token: 7), "token"))
            filters.append((.init(repository: "main", crate: crate), "crate"))
            filters.append((.init(repository: "main", crate: crate, version: "1.0.0"), "version"))
            for (filter, name) in filters {
                try await expectIndexes(ReadStore.statement(filter), "pulls: \(name)", origin.pool)
            }
            let counts = ReadStore.counts(of: crate, in: try RepositoryName("main"), days: 90)
            try await expectIndexes(counts, "reads", origin.pool)
            try await expectIndexes(ReadStore.pruning(days: 90, batch: 10_000), "prunePulls", origin.pool)
        }
    }

    @Test func `facts and what an advisory touches are found through indexes`() async throws {
        try await SliceOrigin.with { origin, _ in
            try await fill(origin.pool)
            try await fillFacts(origin.pool)
            let queries: [(Query, String)] = [
                (AdvisorySync.versions(of: ["crate7", "crate8"]), "versions of crates"),
                (AdvisorySync.existing(["A-7"]), "matches of an advisory"),
                (FactsStore.select.bind([Int64(1), 2, 3]), "facts of versions"),
            ]
            for (query, name) in queries { try await expectIndexes(query, name, origin.pool) }
        }
    }

    @Test func `who holds a version is found through an index of all lock files' entries`() async throws {
        try await SliceOrigin.with { origin, _ in
            let repository = try await origin.repositories.require(RepositoryName("main"))
            _ = try await origin.pool.execute(
                """
                INSERT INTO lock_files (repository_id, name, owner, put_by, text, bytes, sha256, packages)
                SELECT \(repository.id), 'app' || n, 'ci', 'ci', '', 0, decode(repeat('00', 32), 'hex'), 200
                FROM generate_series(1, 200) AS n
                """)
            _ = try await origin.pool.execute(
                """
                INSERT INTO lock_entries (lock_file_id, identity, bare_number)
                SELECT id, 'crate' || n, '1.0.0' FROM lock_files, generate_series(1, 200) AS n
                """)
            for table in ["lock_files", "lock_entries"] {
                _ = try await origin.pool.execute("ANALYZE \(identifier: table)")
            }
            let query = LockFileStore.holders(try CrateName("crate7"), try Version("1.0.0"), repository)
            try await expectIndexes(query, "holders", origin.pool)
        }
    }

    // Written, not explained: these are many statements, with the plans that the database really chose for them.
    @Test func `publishes, the feed and an import walk through no table that grows`() async throws {
        try await SliceOrigin.with { origin, alice in
            try await fill(origin.pool)
            try await fillTrail(origin.pool)
            let tables = ["crates", "versions", "checksums", "dependencies", "owners", "feed", "audit"]
            let before = try await scans(of: tables, origin.pool)
            for round in 0..<3 {
                for crate in [MadeCrate("fresh-\(round)", "1.0.0"), MadeCrate("fresh-0", "1.\(round).1")] {
                    let answer = try await origin.publish(crate, alice)
                    #expect(answer.status == 200, "\(answer.body)")
                }
                _ = try await FeedStore(pool: origin.pool).page(after: 19_000, rowsMax: 100)
                try await origin.importOne("moved-\(round)")
            }
            #expect(try await scans(of: tables, origin.pool) == before)
        }
    }

    private func scans(of tables: [String], _ pool: PostgresPool) async throws -> [String: Int] {
        // Each connection counts for itself and tells it seconds later, unless it is asked to.
        try await withThrowingTaskGroup { group in
            for _ in 0..<16 {
                group.addTask {
                    _ = try await pool.query("SELECT pg_stat_force_next_flush()::text, pg_sleep(0.2)::text")
                }
            }
            try await group.waitForAll()
        }
        let rows = try await pool.query(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(\(tables)::text[])")
        return Dictionary(
            try rows.map { (try $0.value("relname", as: String.self), try $0.value("seq_scan", as: Int.self)) },
            uniquingKeysWith: { first, _ in first })
    }

    private func expectIndexes(_ query: Query, _ name: String, _ pool: PostgresPool) async throws {
        let plan = try await pool.query(query.explained).map { try $0.value("QUERY PLAN", as: String.self) }
        let growing = [
            "crates", "versions", "dependencies", "pulls", "read_counts", "facts", "advisory_matches", "lock_entries",
        ]
        let scans = plan.filter { line in growing.contains { line.contains("Seq Scan on \($0)") } }
        #expect(scans.isEmpty && !plan.isEmpty, "\(name):\n\(plan.joined(separator: "\n"))")
    }

    /// Enough rows for the planner to mind.
    private func fill(_ pool: PostgresPool, isAnalyzed: Bool = true) async throws {
        _ = try await pool.execute(
            """
            INSERT INTO crates (repository_id, identity, name, generation, index_checksum, newest, search)
            SELECT repositories.id, 'crate' || n, 'crate' || n, 1, decode(repeat('00', 32), 'hex'), '1.0.0',
              to_tsvector('simple', 'crate' || n)
            FROM repositories, generate_series(1, 20000) AS n
            """)
        _ = try await pool.execute(
            """
            INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line)
            SELECT id, '1.0.0', '1.0.0', decode(repeat('00', 32), 'hex'), 1, '{}' FROM crates WHERE name LIKE 'crate%'
            """)
        _ = try await pool.execute(
            """
            INSERT INTO dependencies (crate_id, generation, names)
            SELECT id, 1, ARRAY['serde'] FROM crates WHERE name LIKE 'crate%'
            """)
        guard isAnalyzed else { return }
        _ = try await pool.execute("ANALYZE crates")
        _ = try await pool.execute("ANALYZE versions")
        _ = try await pool.execute("ANALYZE dependencies")
    }

    private func fillFacts(_ pool: PostgresPool) async throws {
        _ = try await pool.execute(
            """
            INSERT INTO facts (version_id, origin, has_manifest, dependencies_normal, dependencies_build, dependencies_dev)
            SELECT id, 'imported', true, 1, 0, 0 FROM versions
            """)
        _ = try await pool.execute(
            """
            INSERT INTO advisories (id, database, identity, kind, withdrawn, data, is_matched)
            SELECT 'A-' || n, 'x', 'crate' || n, 'notice', false, '{}', true FROM generate_series(1, 5000) AS n
            """)
        _ = try await pool.execute(
            """
            INSERT INTO advisory_matches (version_id, advisory_id)
            SELECT v.id, a.id FROM advisories a JOIN crates c ON c.identity = a.identity JOIN versions v ON v.crate_id = c.id
            """)
        for table in ["facts", "advisories", "advisory_matches"] {
            _ = try await pool.execute("ANALYZE \(identifier: table)")
        }
    }

    /// Rows of what every change adds to.
    private func fillTrail(_ pool: PostgresPool) async throws {
        _ = try await pool.execute(
            """
            INSERT INTO checksums (repository, identity, bare_number, checksum)
            SELECT 'main', 'crate' || n, '1.0.0', decode(repeat('00', 32), 'hex') FROM generate_series(1, 20000) AS n
            """)
        _ = try await pool.execute(
            "INSERT INTO owners (crate_id, user_id) SELECT id, (SELECT min(id) FROM users) FROM crates")
        _ = try await pool.execute(
            """
            INSERT INTO feed (position, kind, data)
            SELECT position + n, 'index', '{}' FROM feed_head, generate_series(1, 20000) AS n
            """)
        _ = try await pool.execute("UPDATE feed_head SET position = position + 20000")
        // Each line is hashed in a trigger: all in one statement takes longer than a statement may on a busy machine.
        for _ in 0..<20 {
            _ = try await pool.execute(
                "INSERT INTO audit (actor, action) SELECT 'alice', 'publish' FROM generate_series(1, 1000)")
        }
        for table in ["checksums", "owners", "feed", "audit"] {
            _ = try await pool.execute("ANALYZE \(identifier: table)")
        }
    }

    /// Three quarters of the trail are too old.
    private func fillReads(_ pool: PostgresPool) async throws {
        _ = try await pool.execute(
            """
            INSERT INTO pulls (at, edge, repository, crate, version, token_id, bytes, cache)
            SELECT now() - make_interval(days => n % 360), 'edge' || n % 50, 'main', 'crate' || n % 500, '1.0.0', n % 400,
              1, 'HIT'
            FROM generate_series(1, 40000) AS n
            """)
        _ = try await pool.execute(
            """
            INSERT INTO read_counts (repository, crate, version, day, edge, count)
            SELECT 'main', 'crate' || n % 500, '1.0.0', DATE '2025-11-25' - n / 500, 'eu', 1
            FROM generate_series(1, 40000) AS n
            """)
        _ = try await pool.execute("ANALYZE pulls")
        _ = try await pool.execute("ANALYZE read_counts")
    }
}

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
                let plan = try await origin.pool.query(query.explained).map {
                    try $0.value("QUERY PLAN", as: String.self)
                }
                let scans = plan.filter { $0.contains("Seq Scan on crates") || $0.contains("Seq Scan on versions") }
                #expect(scans.isEmpty, "\(name):\n\(plan.joined(separator: "\n"))")
            }
        }
    }

    /// Enough rows for the planner to mind.
    private func fill(_ pool: PostgresPool) async throws {
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
        _ = try await pool.execute("ANALYZE crates")
        _ = try await pool.execute("ANALYZE versions")
    }
}

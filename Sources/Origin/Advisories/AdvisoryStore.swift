package import Facts
import FoundationEssentials
package import Postgres
import Registry

/// Which advisories there are and for which versions they hold; owns `advisories`, `advisory_matches`.
package struct AdvisoryStore: Sendable {
    let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Held shared by whoever adds versions, alone by whoever changes advisories: neither misses what the other adds.
    static let lock: Int64 = 0x6c73_6861_6476_0001

    /// Finds the advisories of versions that this transaction adds.
    func match(_ versions: [AdvisedVersion], in transaction: Transaction) async throws {
        _ = try await transaction.query("SELECT pg_advisory_xact_lock_shared(\(Self.lock))")
        let identities = Set(versions.map(\.identity)).sorted()
        let advisories = try await transaction.query(
            "SELECT data FROM advisories WHERE identity = ANY(\(identities)::text[]) AND NOT is_removed"
        ).map(Self.advisory)
        let rematch = AdvisoryRematch(advisories, versions: versions, existing: [])
        try await insert(rematch.added, in: transaction)
    }

    func insert(_ hits: [AdvisoryHit], in transaction: Transaction) async throws {
        guard !hits.isEmpty else { return }
        _ = try await transaction.execute(
            """
            INSERT INTO advisory_matches (version_id, advisory_id)
            SELECT * FROM unnest(\(hits.map(\.versionID))::bigint[], \(hits.map(\.advisoryID))::text[])
            ON CONFLICT DO NOTHING
            """)
    }

    /// By version, in the order of ids.
    func matches(of versionIDs: [Int64], in transaction: Transaction) async throws -> [Int64: [AdvisoryMatch]] {
        let hits = try await transaction.query(
            """
            SELECT version_id, advisory_id FROM advisory_matches WHERE version_id = ANY(\(versionIDs)::bigint[])
            ORDER BY version_id, advisory_id
            """
        ).map(Self.hit)
        // Each advisory is read once, however many versions it holds for.
        var advisories: [String: AdvisoryMatch] = [:]
        for row in try await transaction.query(
            "SELECT data FROM advisories WHERE id = ANY(\(Set(hits.map(\.advisoryID)).sorted())::text[])")
        {
            let advisory = try Self.advisory(row)
            advisories[advisory.id] = advisory.match
        }
        var matches: [Int64: [AdvisoryMatch]] = [:]
        for hit in hits {
            if let match = advisories[hit.advisoryID] { matches[hit.versionID, default: []].append(match) }
        }
        return matches
    }

    /// - Returns: nil if there is no such advisory; an alias finds it too.
    package func find(_ id: String) async throws -> Advisory? {
        if let row = try await pool.query("SELECT data FROM advisories WHERE id = \(id) AND NOT is_removed").first {
            return try Self.advisory(row)
        }
        return try await pool.query(
            """
            SELECT data FROM advisories WHERE NOT is_removed AND data::jsonb -> 'aliases' ? \(id) ORDER BY id LIMIT 1
            """
        ).first.map(Self.advisory)
    }

    /// - Parameter identity: nil lists those of every crate.
    package func list(identity: String?, limit: Int) async throws -> [Advisory] {
        try await pool.query(
            """
            SELECT data FROM advisories WHERE NOT is_removed AND (\(identity)::text IS NULL OR identity = \(identity))
            ORDER BY id DESC LIMIT \(limit)
            """
        ).map(Self.advisory)
    }

    /// For how many versions an advisory holds, and in which repositories: `main: 3`.
    package func reach(of id: String) async throws -> [(repository: String, versions: Int)] {
        try await pool.query(
            """
            SELECT r.name, count(*) AS versions FROM advisory_matches m JOIN versions v ON v.id = m.version_id
              JOIN crates c ON c.id = v.crate_id JOIN repositories r ON r.id = c.repository_id
            WHERE m.advisory_id = \(id) GROUP BY r.name ORDER BY r.name
            """
        ).map { (repository: try $0.value("name"), versions: try $0.value("versions")) }
    }

    static func advisory(_ row: Row) throws -> Advisory {
        try JSONDecoder().decode(Advisory.self, from: Data(row.value("data", as: String.self).utf8))
    }

    static func hit(_ row: Row) throws -> AdvisoryHit {
        AdvisoryHit(versionID: try row.value("version_id"), advisoryID: try row.value("advisory_id"))
    }

    static func json(_ advisory: Advisory) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(advisory), as: UTF8.self)
    }
}

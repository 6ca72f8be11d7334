import Postgres

/// Owns `replicas`: a row for each running origin replica. Judged by the database's clock alone.
struct ReplicaStore: Sendable {
    let pool: PostgresPool

    /// A replica that was silent for longer is dead, and nobody waits for its edges.
    ///
    /// Until then its edges may call themselves fresh: the lease time of 5 s, a second between two looks at the
    /// database, and one for the way.
    static let silentSecondsMax = 7
    private static let rowSecondsMax = 60

    /// Writes this replica's row and tells the others.
    func say(_ replica: String, edges: Int, applied: UInt64?) async throws {
        _ = try await pool.query(
            """
            WITH said AS (
                INSERT INTO replicas (id, seen_at, edges, applied)
                VALUES (\(replica), clock_timestamp(), \(edges), \(applied))
                ON CONFLICT (id) DO UPDATE
                    SET seen_at = excluded.seen_at, edges = excluded.edges, applied = excluded.applied
                RETURNING id, edges, applied, (extract(epoch FROM seen_at) * 1000000)::bigint AS at
            )
            SELECT pg_notify(\(ReplicaNews.channel),
                concat_ws(' ', 'progress', id, edges, coalesce(applied::text, '-'), at)) FROM said
            """)
    }

    /// What the living replicas last said.
    func living() async throws -> [String: ReplicaProgress] {
        let rows = try await pool.query(
            """
            SELECT id, edges, applied, (extract(epoch FROM seen_at) * 1000000)::bigint AS at FROM replicas
            WHERE seen_at > clock_timestamp() - make_interval(secs => \(Self.silentSecondsMax))
            """)
        var found: [String: ReplicaProgress] = [:]
        for row in rows {
            found[try row.value("id", as: String.self)] = ReplicaProgress(
                edges: try row.value("edges", as: Int.self), applied: try row.value("applied", as: UInt64?.self),
                at: try row.value("at", as: Int64.self))
        }
        return found
    }

    func deleteDead() async throws {
        _ = try await pool.execute(
            "DELETE FROM replicas WHERE seen_at < now() - make_interval(secs => \(Self.rowSecondsMax))")
    }

    func leave(_ replica: String) async throws {
        _ = try await pool.execute("DELETE FROM replicas WHERE id = \(replica)")
    }

    func pass(on news: ReplicaNews) async throws {
        _ = try await pool.query("SELECT pg_notify(\(ReplicaNews.channel), \(news.description))")
    }
}

import FoundationEssentials
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
    ///
    /// - Parameter connections: nil leaves what the row says of them: acknowledgements are told far more often.
    func say(_ replica: String, edges: Int, applied: UInt64?, connections: [EdgeConnection]? = nil) async throws {
        let streams = try connections.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        _ = try await pool.query(
            """
            WITH said AS (
                INSERT INTO replicas (id, seen_at, edges, applied, streams)
                VALUES (\(replica), clock_timestamp(), \(edges), \(applied), coalesce(\(streams)::jsonb, '[]'))
                ON CONFLICT (id) DO UPDATE
                    SET seen_at = excluded.seen_at, edges = excluded.edges, applied = excluded.applied,
                        streams = coalesce(\(streams)::jsonb, replicas.streams)
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

    /// The streams of all living replicas, as each last said.
    func connections() async throws -> [(replica: String, connection: EdgeConnection)] {
        let rows = try await pool.query(
            """
            SELECT replicas.id, stream.* FROM replicas
            CROSS JOIN LATERAL jsonb_to_recordset(replicas.streams)
              AS stream (edge bigint, applied bigint, since text)
            WHERE replicas.seen_at > clock_timestamp() - make_interval(secs => \(Self.silentSecondsMax))
            """)
        return try rows.map { row in
            let connection = EdgeConnection(
                edge: try row.value("edge", as: Int64.self), applied: try row.value("applied", as: UInt64.self),
                since: try row.value("since", as: String.self))
            return (try row.value("id", as: String.self), connection)
        }
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

/// One feed stream as its replica tells the others of it: whose, how far, since when.
struct EdgeConnection: Codable, Hashable, Sendable {
    /// The edge's id.
    let edge: Int64
    /// The last position that it has acknowledged on this stream.
    let applied: UInt64
    /// When the stream began, by the replica's clock; RFC 3339.
    let since: String
}

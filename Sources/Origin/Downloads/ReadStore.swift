import FoundationEssentials
package import Postgres
import Registry

/// Owns `read_counts`, `pulls` and `access_batches`: how often what was read where, and by whom.
///
/// What edges refused comes with it, and goes on to the audit log.
package struct ReadStore: Sendable {
    let pool: PostgresPool
    private let audit = AuditStore()

    /// Where counts and their sums stop: what every reader of JSON still holds exactly. Nothing is read so often; but no
    /// edge's word may make a sum that is too large for its type.
    static let sumMax = 1 << 53

    package init(pool: PostgresPool) { self.pool = pool }

    /// Takes a batch of an edge's spool; one that was taken before changes nothing.
    ///
    /// The number and the counts are one transaction, so that a batch counts once although its answer was lost.
    /// - Parameter now: seconds since 1970, by the origin's clock.
    func take(_ batch: AccessBatch, from edge: EdgeHolder, now: Int) async throws -> AccessBatch.Taken {
        let rows = ReadRows(batch, now: now)
        let refusals = RefusalRows(batch, now: now)
        return try await pool.withTransaction { transaction in
            // The row's lock makes a second sender of the same batch wait until the first is done.
            let isNew = try await !transaction.query(
                """
                INSERT INTO access_batches (edge_id, spool, number)
                VALUES (\(edge.edgeID), \(batch.spool), \(batch.number))
                ON CONFLICT (edge_id, spool) DO UPDATE SET number = excluded.number, taken_at = now()
                  WHERE access_batches.number < excluded.number
                RETURNING number
                """
            ).isEmpty
            guard isNew else { return AccessBatch.Taken(taken: false, refused: 0) }
            try await add(rows, from: edge.name, in: transaction)
            if !refusals.isEmpty {
                let holders = try await holders(of: refusals, in: transaction)
                // Last: other changes wait for the log's head until this is committed.
                try await audit.record(refusals.lines(from: edge.name, holders), in: transaction)
            }
            return AccessBatch.Taken(taken: true, refused: rows.refused + refusals.refused)
        }
    }

    private func holders(of refusals: RefusalRows, in transaction: Transaction) async throws -> [RefusalRows.Holder] {
        try await transaction.query(
            """
            SELECT tokens.id, encode(tokens.hash, 'hex') AS sha256, users.login, tokens.revoked_at IS NOT NULL AS revoked,
              coalesce(tokens.expires_at <= now(), false) AS expired
            FROM tokens JOIN users ON users.id = tokens.user_id
            WHERE tokens.id = ANY(\(refusals.subjects)::bigint[])
              OR tokens.hash = ANY(ARRAY(SELECT decode(told, 'hex') FROM unnest(\(refusals.hashes)::text[]) AS told))
            """
        ).map { row in
            RefusalRows.Holder(
                id: try row.value("id"), sha256: try row.value("sha256"), login: try row.value("login"),
                isRevoked: try row.value("revoked"), isExpired: try row.value("expired"))
        }
    }

    /// Adds what the origin itself has served.
    ///
    /// Not synced before it returns: the rows survive the end of every program, and only a power cut under PostgreSQL
    /// can take the last half second.
    func addOwn(_ rows: ReadRows) async throws {
        try await pool.withTransaction { transaction in
            try await transaction.run(script: "SET LOCAL synchronous_commit = off")
            try await add(rows, from: "", in: transaction)
        }
    }

    /// The counts first: the transaction then has its number before any pull has its id, which `PullSealer` rests on.
    private func add(_ rows: ReadRows, from edge: String, in transaction: Transaction) async throws {
        _ = try await transaction.execute(
            """
            INSERT INTO read_counts (repository, crate, version, day, edge, count)
            SELECT repository, crate, version, day, \(edge), count
            FROM jsonb_to_recordset(\(try Self.json(rows.counts))::jsonb) AS read (
              repository text, crate text, version text, day date, count bigint)
            ON CONFLICT (repository, crate, version, day, edge)
              DO UPDATE SET count = least(read_counts.count::numeric + excluded.count, \(Self.sumMax)::bigint)::bigint
            """)
        guard !rows.pulls.isEmpty else { return }
        _ = try await transaction.execute(
            """
            INSERT INTO pulls (at, edge, repository, crate, version, token_id, bytes, cache, address)
            SELECT to_timestamp(at), \(edge), repository, crate, version, token, bytes, cache, address
            FROM jsonb_to_recordset(\(try Self.json(rows.pulls))::jsonb) AS pull (
              at bigint, repository text, crate text, version text, token bigint, bytes bigint, cache text, address text)
            """)
    }

    private static func json(_ rows: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(rows), as: UTF8.self)
    }

    /// Deletes pulls that are older than so many days.
    ///
    /// - Returns: how many went; at most `batch`.
    func prunePulls(days: Int, batch: Int) async throws -> Int {
        try await pool.execute(Self.pruning(days: days, batch: batch))
    }

    /// Replicas that prune at once pass each other's rows over: waiting, in whatever order, they could lock each other out.
    static func pruning(days: Int, batch: Int) -> Query {
        """
        DELETE FROM pulls WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM pulls WHERE at < now() - make_interval(days => \(days)) ORDER BY at LIMIT \(batch)
          FOR UPDATE SKIP LOCKED))
        """
    }

    /// Forgets spools that nothing came from for a year: edges make new ones with new ids.
    ///
    /// A batch of such a spool would count once more if it came again then: no edge waits that long for an answer.
    func pruneSpools() async throws {
        _ = try await pool.execute(
            """
            DELETE FROM access_batches WHERE ctid = ANY (ARRAY(
              SELECT ctid FROM access_batches WHERE taken_at < now() - interval '1 year' FOR UPDATE SKIP LOCKED))
            """)
    }
}

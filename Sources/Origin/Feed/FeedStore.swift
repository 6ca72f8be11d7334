import Postgres
import Registry

/// Reads and prunes `feed`; `EventLog` writes it.
struct FeedStore: Sendable {
    let pool: PostgresPool

    /// The newest position.
    func head() async throws -> UInt64 {
        guard let row = try await pool.query("SELECT position FROM feed_head").first else { throw FeedDamage.noHead }
        return try row.value("position", as: UInt64.self)
    }

    /// What a reader at `position` needs to know, read in one snapshot.
    struct Page: Sendable {
        let head: UInt64
        /// Follow directly on the asked position, unless `isGone`.
        let frames: [FeedRing.Frame]
        /// The row after the asked position was pruned, or the position was never given out.
        let isGone: Bool

        /// - Parameter rows: the first rows after the asked position.
        init(head: UInt64, rows: [FeedRing.Frame], after position: UInt64) {
            let follows = rows.first.map { $0.position == position + 1 } ?? (position == head)
            self.head = head
            frames = follows ? rows : []
            isGone = !follows
        }
    }

    /// - Parameter rowsMax: at most so many frames; more may exist.
    func page(after position: UInt64, rowsMax: Int) async throws -> Page {
        let rows = try await pool.query(
            """
            SELECT feed_head.position AS head, feed.position, feed.kind, feed.data
            FROM feed_head LEFT JOIN LATERAL (
                SELECT position, kind, data FROM feed WHERE position > \(position) ORDER BY position LIMIT \(rowsMax)
            ) AS feed ON true ORDER BY feed.position
            """)
        guard let first = rows.first else { throw FeedDamage.noHead }
        let head = try first.value("head", as: UInt64.self)
        let frames = try rows.compactMap { row -> FeedRing.Frame? in
            guard let place = try row.value("position", as: UInt64?.self) else { return nil }
            return FeedRing.Frame(
                position: place, kind: try row.value("kind", as: String.self),
                data: try row.value("data", as: String.self))
        }
        return Page(head: head, rows: frames, after: position)
    }

    /// Deletes the oldest rows that are both older than `secondsMin` and not among the newest `rowsMin`.
    ///
    /// Rows go strictly from the oldest on, so that what is left has no hole.
    /// - Returns: how many went; at most `batch`.
    func prune(rowsMin: Int, secondsMin: Int, batch: Int) async throws -> Int {
        try await pool.execute(
            """
            WITH bounds AS (
                SELECT (SELECT min(position) FROM feed) AS oldest,
                       (SELECT position FROM feed_head) - \(rowsMin) AS last_spare,
                       (SELECT position FROM feed WHERE at >= now() - make_interval(secs => \(secondsMin)::bigint)
                        ORDER BY position LIMIT 1) AS first_young
            )
            DELETE FROM feed USING bounds
            WHERE feed.position <= bounds.last_spare
                AND (bounds.first_young IS NULL OR feed.position < bounds.first_young)
                AND feed.position < bounds.oldest + \(batch)
            """)
    }
}

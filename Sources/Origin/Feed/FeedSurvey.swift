import Postgres

/// What the feed's tables hold, read in one snapshot.
struct FeedSurvey: Sendable {
    /// Nil if `feed_head` lost its row.
    let head: UInt64?
    let first: UInt64?
    let last: UInt64?
    let count: Int
    /// The first few places where a position is missing: the one before and the one after.
    let gaps: [(after: UInt64, next: UInt64)]

    static func read(_ pool: PostgresPool) async throws -> FeedSurvey {
        try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            let head = try await transaction.query("SELECT position FROM feed_head").first
            let range = try await transaction.query(
                "SELECT min(position) AS first, max(position) AS last, count(*) AS count FROM feed"
            ).first
            let gaps = try await transaction.query(
                """
                SELECT place.position, place.next FROM (
                  SELECT position, lead(position) OVER (ORDER BY position) AS next FROM feed
                ) AS place WHERE place.next <> place.position + 1 ORDER BY place.position LIMIT 20
                """)
            return FeedSurvey(
                head: try head?.value("position", as: UInt64.self), first: try range?.value("first", as: UInt64?.self),
                last: try range?.value("last", as: UInt64?.self), count: try range?.value("count", as: Int.self) ?? 0,
                gaps: try gaps.map {
                    (try $0.value("position", as: UInt64.self), try $0.value("next", as: UInt64.self))
                })
        }
    }

    /// What edges would stumble over, as sentences.
    var problems: [String] {
        guard let head else { return [FeedDamage.noHead.description] }
        var problems = gaps.map { FeedDamage.gap(after: $0.after, next: $0.next).description }
        if let last, last != head {
            problems.append("the head is at position \(head), but the newest event is at \(last)")
        }
        if last == nil, head > 0 {
            problems.append(
                "the head is at position \(head), but the feed is empty; the newest events are never deleted")
        }
        if let first, first > 1, count < Retention.rowsMin {
            problems.append("positions 1 to \(first - 1) are missing, though so few events are never deleted")
        }
        return problems
    }
}

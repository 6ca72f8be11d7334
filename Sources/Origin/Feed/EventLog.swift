package import Postgres
package import Registry

/// Appends to the feed inside the caller's transaction. Owns `feed_head` and `feed`, with its neighbours in this folder.
///
/// The position comes from one row whose lock is held until commit: that makes positions gapless and commit-ordered
/// (I3). A sequence would not do, since its numbers are taken before commit and a reader can pass one that commits later.
package struct EventLog: Sendable {
    /// What replicas listen on; the payload is the newest position, but only a hint: they read the table.
    static let channel = "longshore_feed"

    /// The newest position as an SQL expression, for reads that must say in which snapshot they were made.
    package static let positionSQL: StaticString = "(SELECT position FROM feed_head)"

    package init() {}

    /// Gives each event its position and makes all of them visible when the transaction commits.
    ///
    /// Call it last in the transaction: everyone else who changes something waits for the lock that it takes.
    /// - Returns: the last position.
    package func append(_ events: [RegistryEvent], in transaction: Transaction) async throws -> UInt64 {
        precondition(!events.isEmpty, "a change announces at least one event")
        let answer = try await transaction.query(
            """
            WITH head AS (
                UPDATE feed_head SET position = position + \(events.count) RETURNING position
            ), written AS (
                INSERT INTO feed (position, kind, data)
                SELECT head.position - \(events.count) + event.place, event.kind, event.data
                FROM head, unnest(\(events.map(\.kind))::text[], \(events.map(\.data))::text[])
                    WITH ORDINALITY AS event (kind, data, place)
            )
            SELECT position, pg_notify(\(Self.channel), position::text) FROM head
            """)
        guard let row = answer.first else { throw FeedDamage.noHead }
        return try row.value("position", as: UInt64.self)
    }
}

/// The feed's tables are not what the program left there. Nobody can go on before an operator looked at it.
package enum FeedDamage: Error, Hashable, CustomStringConvertible {
    case noHead
    case gap(after: UInt64, next: UInt64)

    package var description: String {
        switch self {
        case .noHead:
            "the table feed_head has no row; was the database restored without its data? Restore it whole"
        case .gap(let last, let next):
            "the feed jumps from position \(last) to \(next), though positions are gapless; was the table feed edited?"
        }
    }
}

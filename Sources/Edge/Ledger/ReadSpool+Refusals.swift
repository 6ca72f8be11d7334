import FoundationEssentials
import GRDB
package import Registry

/// What was refused and the origin does not have yet: lines of pages, each of which is a line of audit to be.
///
/// A page grows line by line while it is written and is sent only once it is over. What a process left behind is over.
extension ReadSpool {
    /// What came to one line of a page.
    package struct Refusal: Sendable {
        /// The same for the same line of a page.
        package let place: Int
        package let refusal: AccessRefusal

        package init(place: Int, refusal: AccessRefusal) {
            self.place = place
            self.refusal = refusal
        }
    }

    /// A day of ordinary refusals, or ten minutes of a flood; half a megabyte or so.
    package static let refusalRowsMax = 2048

    /// Adds news to their lines.
    ///
    /// - Parameters:
    ///   - page: of this run, from 0; it does not go back.
    ///   - isOver: nothing more comes to it.
    /// - Returns: how many refusals lost their names, because too many rows wait.
    package func save(_ refusals: [Refusal], page: Int, isOver: Bool) async throws -> Int {
        try await database.write { [firstPage] database in
            let number = firstPage + Int64(page)
            let insert = try database.cachedStatement(
                sql: """
                    INSERT INTO refusals VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (page, place) DO UPDATE SET
                      first = min(first, excluded.first), last = max(last, excluded.last), count = count + excluded.count
                    """)
            for row in refusals {
                try insert.execute(arguments: [
                    number, row.place, row.refusal.first, row.refusal.last, row.refusal.count,
                    try JSONEncoder().encode(row.refusal),
                ])
            }
            try Self.setMeta("page", isOver ? number + 1 : number, database)
            return try Self.fold(rowsMax: Self.refusalRowsMax, database)
        }
    }

    /// Makes room: the oldest become one line without names, until there are so many.
    ///
    /// - Returns: how many refusals lost their names.
    package func foldRefusals(rowsMax: Int) async throws -> Int {
        try await database.write { try Self.fold(rowsMax: rowsMax, $0) }
    }

    private static func fold(rowsMax: Int, _ database: Database) throws -> Int {
        let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM refusals") ?? 0
        guard count > max(rowsMax, 1) else { return 0 }
        // A quarter more than needed, so that it is not done each time.
        let rows = try Row.fetchAll(
            database, sql: "SELECT * FROM refusals ORDER BY page, place LIMIT ?",
            arguments: [min(count, count - rowsMax + rowsMax / 4 + 1)])
        guard let last = rows.last else { return 0 }
        let refusals = try rows.map(refusal)
        var sum = AccessRefusal(
            first: refusals.map(\.first).min() ?? 0, last: refusals.map(\.last).max() ?? 0,
            count: refusals.reduce(0) { $0 + $1.count }, rule: AccessRefusal.Rule.overTheLimit)
        sum.reason = "too many waited for the origin"
        try deleteRefusals(upTo: last, in: database)
        try database.execute(
            sql: "INSERT INTO refusals VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                last["page"] as Int64, last["place"] as Int64, sum.first, sum.last, sum.count,
                try JSONEncoder().encode(sum),
            ])
        return refusals.filter { $0.rule != AccessRefusal.Rule.overTheLimit }.reduce(0) { $0 + $1.count }
    }

    static func createRefusals(in database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE refusals (
                    page INTEGER NOT NULL, place INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                    count INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (page, place)) WITHOUT ROWID;
                INSERT INTO meta VALUES ('page', 0);
                PRAGMA user_version = 2;
                """)
    }

    /// Whatever an earlier run left is over.
    static func beginPages(in database: Database) throws -> Int64 {
        let first = try meta("page", database) + 1
        try setMeta("page", first, database)
        return first
    }

    /// The oldest lines of pages that are over, for a batch.
    static func refusals(in database: Database) throws -> [Row] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT * FROM refusals WHERE page < (SELECT value FROM meta WHERE name = 'page')
                ORDER BY page, place LIMIT ?
                """, arguments: [AccessBatch.refusalsMax])
    }

    static func refusal(_ row: Row) throws -> AccessRefusal {
        var refusal = try JSONDecoder().decode(AccessRefusal.self, from: row["body"] as Data)
        (refusal.first, refusal.last, refusal.count) = (row["first"], row["last"], row["count"])
        return refusal
    }

    static func deleteRefusals(upTo last: Row, in database: Database) throws {
        try database.execute(
            sql: "DELETE FROM refusals WHERE (page, place) <= (?, ?)",
            arguments: [last["page"] as Int64, last["place"] as Int64])
    }
}

import Postgres
import Registry

/// The rows of `dependencies`: what a resolver asks for after each crate. Changed in the transaction of every change of
/// the crate's index file, whoever makes it.
enum DependencyRows {
    /// Makes a crate's row anew; its row in `crates` is locked.
    static func renew(
        of crateID: Int64, generation: UInt64, among versions: [(version: Version, yanked: Bool)],
        _ transaction: Transaction
    ) async throws {
        let chosen = NextNames.versions(among: versions).map(\.description)
        let rows = try await transaction.query(
            "SELECT number, line FROM versions WHERE crate_id = \(crateID) AND number = ANY(\(chosen)::text[])")
        var lines: [String: IndexLine] = [:]
        for row in rows {
            // A line that no cargo can read leads a resolver nowhere.
            lines[try row.value("number", as: String.self)] =
                try? IndexLine(parsing: row.value("line", as: String.self))
        }
        let next = NextNames(in: chosen.compactMap { lines[$0] })
        _ = try await transaction.execute(
            """
            INSERT INTO dependencies (crate_id, generation, names, likely, optional)
            VALUES (\(crateID), \(generation), \(next.certain)::text[], \(next.likely)::text[],
              \(next.optional)::text[])
            ON CONFLICT (crate_id) DO UPDATE SET generation = EXCLUDED.generation, names = EXCLUDED.names,
              likely = EXCLUDED.likely, optional = EXCLUDED.optional
            """)
    }
}

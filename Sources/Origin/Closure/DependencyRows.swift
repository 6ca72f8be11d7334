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
            "SELECT line FROM versions WHERE crate_id = \(crateID) AND number = ANY(\(chosen)::text[])")
        // A line that no cargo can read leads a resolver nowhere.
        let lines = try rows.map { try $0.value("line", as: String.self) }.compactMap { try? IndexLine(parsing: $0) }
        let names = NextNames.names(in: lines)
        _ = try await transaction.execute(
            """
            INSERT INTO dependencies (crate_id, generation, names)
            VALUES (\(crateID), \(generation), \(names)::text[])
            ON CONFLICT (crate_id) DO UPDATE SET generation = EXCLUDED.generation, names = EXCLUDED.names
            """)
    }

    /// What a resolver asks for after one crate.
    struct Row: Sendable {
        let crateID: Int64
        let generation: UInt64
        /// Lower-case, as `NextNames` gives them.
        let names: [String]
    }

    /// Makes the rows of many crates anew; their rows in `crates` are locked.
    static func renew(_ rows: [Row], _ transaction: Transaction) async throws {
        // No name holds a space.
        let names = rows.map { $0.names.joined(separator: " ") }
        _ = try await transaction.execute(
            """
            INSERT INTO dependencies (crate_id, generation, names)
            SELECT id, generation, string_to_array(names, ' ')
            FROM unnest(\(rows.map(\.crateID))::bigint[], \(rows.map(\.generation))::bigint[], \(names)::text[])
              AS made (id, generation, names)
            ON CONFLICT (crate_id) DO UPDATE SET generation = EXCLUDED.generation, names = EXCLUDED.names
            """)
    }
}

import Crypto
import Postgres
import Registry

/// The rows of `crates` and `versions`, for the slices that change them: publish, yank, owners.
///
/// Every change of a crate begins with the lock on its row and ends with `renewIndexFile`, so that changes of one crate
/// happen one after the other, whichever replica they come through.
enum CrateRows {
    struct Crate {
        let id: Int64
        /// As the first publisher spelled it.
        let name: String
        /// 0 if this transaction has just made the row, or if an upstream's crate gave way in it.
        let generation: UInt64
    }

    /// Locks the crate's row and makes it first if it is missing.
    static func lockOrCreate(
        _ name: CrateName, in repositoryID: Int64, _ transaction: Transaction
    ) async throws -> Crate {
        // The update changes nothing; it takes the lock, and waits for a transaction that is just making the row.
        let rows = try await transaction.query(
            """
            INSERT INTO crates (repository_id, identity, name) VALUES (\(repositoryID), \(name.identity), \
            \(name.spelling)) ON CONFLICT (repository_id, identity) DO UPDATE SET identity = EXCLUDED.identity
            RETURNING id, name, generation
            """)
        guard let row = rows.first else { preconditionFailure("an upsert always returns its row") }
        return try crate(row)
    }

    /// Locks the crate's row for a version of our own. What upstreams have under the name gives way: own names win.
    ///
    /// - Returns: generation 0 if nothing of the crate was published here, whatever an upstream brought.
    static func lockForOwn(
        _ name: CrateName, in repositoryID: Int64, _ transaction: Transaction
    ) async throws -> Crate {
        let crate = try await lockOrCreate(name, in: repositoryID, transaction)
        if crate.generation == 0 { return crate }
        if try await isOwn(crate, transaction) { return crate }
        _ = try await transaction.execute("DELETE FROM versions WHERE crate_id = \(crate.id)")
        _ = try await transaction.execute("UPDATE crates SET name = \(name.spelling) WHERE id = \(crate.id)")
        return Crate(id: crate.id, name: name.spelling, generation: 0)
    }

    /// Whether a version of the crate was published or imported here.
    static func isOwn(_ crate: Crate, _ transaction: Transaction) async throws -> Bool {
        try await !transaction.query(
            "SELECT FROM versions WHERE crate_id = \(crate.id) AND upstream_id IS NULL LIMIT 1"
        ).isEmpty
    }

    /// Whether all versions of the crate, one at least, came from upstreams.
    static func isOfUpstreams(_ crate: Crate, _ transaction: Transaction) async throws -> Bool {
        try await transaction.query(
            "SELECT coalesce(bool_and(upstream_id IS NOT NULL), false) AS all_are FROM versions WHERE crate_id = \(crate.id)"
        ).first?.value("all_are") ?? false
    }

    /// Leaves a crate whose last version was removed without an index file; the count goes on.
    ///
    /// - Returns: the event that tells the edges.
    static func clearIndexFile(
        of crate: Crate, in repository: RepositoryName, _ transaction: Transaction
    ) async throws -> RegistryEvent {
        let rows = try await transaction.query(
            """
            UPDATE crates SET generation = generation + 1, newest = '', updated_at = now(), index_checksum = NULL,
              index_bytes = 0
            WHERE id = \(crate.id) RETURNING generation
            """)
        guard let row = rows.first, let name = try? CrateName(crate.name),
            let checksum = Checksum(bytes: SHA256.hash(data: [UInt8]()))
        else { preconditionFailure("a locked crate has a valid name") }
        let generation = try row.value("generation", as: UInt64.self)
        return .index(
            .init(repository: repository, crate: name, generation: generation, checksum: checksum, bytes: 0))
    }

    /// Locks the crate's row.
    ///
    /// - Returns: nil if there is no such crate; any spelling of the name finds it.
    static func lock(_ name: CrateName, in repositoryID: Int64, _ transaction: Transaction) async throws -> Crate? {
        try await transaction.query(
            """
            SELECT id, name, generation FROM crates
            WHERE repository_id = \(repositoryID) AND identity = \(name.identity) FOR UPDATE
            """
        ).first.map(crate)
    }

    /// Counts the change, hashes the new file inside the database, and says which version is the newest and what a
    /// resolver asks next.
    ///
    /// - Returns: the event that tells the edges.
    static func renewIndexFile(
        of crate: Crate, in repository: RepositoryName, _ transaction: Transaction
    ) async throws -> RegistryEvent {
        let versions = try await versions(of: crate, transaction)
        let newest = NewestVersion.among(versions)?.description ?? ""
        let rows = try await transaction.query(
            """
            UPDATE crates SET generation = generation + 1, newest = \(newest), updated_at = now(),
              (index_checksum, index_bytes) = (
                SELECT sha256(convert_to(file.text, 'UTF8')), octet_length(file.text) FROM (
                  SELECT string_agg(line || E'\\n', '' ORDER BY id) AS text FROM versions WHERE crate_id = \(crate.id)
                ) AS file)
            WHERE id = \(crate.id) RETURNING generation, index_checksum, index_bytes
            """)
        guard let row = rows.first, let name = try? CrateName(crate.name),
            let checksum = Checksum(bytes: try row.value("index_checksum", as: [UInt8].self))
        else { preconditionFailure("a locked crate with a version has a valid name and an index file") }
        let generation = try row.value("generation", as: UInt64.self)
        try await DependencyRows.renew(of: crate.id, generation: generation, among: versions, transaction)
        return .index(
            .init(
                repository: repository, crate: name, generation: generation,
                checksum: checksum, bytes: try row.value("index_bytes", as: Int.self)))
    }

    private static func versions(
        of crate: Crate, _ transaction: Transaction
    ) async throws -> [(version: Version, yanked: Bool)] {
        try await transaction.query("SELECT number, yanked FROM versions WHERE crate_id = \(crate.id)").map { row in
            (version: try Version(row.value("number", as: String.self)), yanked: try row.value("yanked", as: Bool.self))
        }
    }

    static func crate(_ row: Row) throws -> Crate {
        Crate(
            id: try row.value("id", as: Int64.self), name: try row.value("name", as: String.self),
            generation: try row.value("generation", as: UInt64.self))
    }
}

extension Refusal {
    static func noSuchCrate(_ crate: CrateName, in repository: RepositoryName) -> Refusal {
        .notFound("crate `\(crate.spelling)` does not exist in repository `\(repository)`")
    }
}

import Postgres
import Registry

/// Writes what a new version brings, whether it is published or imported.
enum VersionRows {
    /// Adds the version's row and remembers its checksum for ever (I2).
    ///
    /// - Parameters:
    ///   - userID: nil for an import in nobody's name.
    ///   - rewrites: as `CratesIORule` says in this transaction.
    /// - Returns: the id of the version's row.
    static func insert(
        _ version: CheckedVersion, into crate: CrateRows.Crate, of repository: RepositoryName, by userID: Int32?,
        rewrites: Bool, _ transaction: Transaction
    ) async throws -> Int64 {
        let number = version.facts.version
        let checksum = version.line.checksum.bytes
        let line = version.servedLine(rewrites: rewrites)
        _ = try await transaction.execute(
            """
            INSERT INTO checksums (repository, identity, bare_number, checksum) VALUES (\(repository.description), \
            \(version.facts.name.identity), \(number.bare), \(checksum)) ON CONFLICT DO NOTHING
            """)
        let rows = try await transaction.query(
            """
            INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line, published_line, yanked,
              published_by, published_at)
            VALUES (\(crate.id), \(number.description), \(number.bare), \(checksum), \(version.bytes), \
            \(line.served), \(line.published), \(version.line.isYanked), \(userID), \
            coalesce(\(version.line.pubtime?.description)::timestamptz, now())) RETURNING id
            """)
        guard let row = rows.first else { preconditionFailure("an insert of one row returns it") }
        return try row.value("id")
    }

    /// Search speaks of the newest version only; an older one that is added later leaves it alone.
    ///
    /// Called after `CrateRows.renewIndexFile`, which finds out what is the newest.
    static func describe(
        _ version: CheckedVersion, _ crate: CrateRows.Crate, _ transaction: Transaction
    ) async throws {
        let words = SearchWords(name: version.facts.name)
        let description = version.facts.description ?? ""
        let keywords = version.facts.keywords
        _ = try await transaction.execute(
            """
            UPDATE crates SET description = \(description), keywords = \(keywords)::text[],
              search = setweight(array_to_tsvector(\(words.lexemes)::text[]), 'A')
                || setweight(to_tsvector('simple', \(words.parts)), 'A')
                || setweight(to_tsvector('simple', \(keywords.joined(separator: " "))), 'B')
                || setweight(to_tsvector('english', left(\(description), 4000)), 'C')
            WHERE id = \(crate.id) AND newest = \(version.facts.version.description)
            """)
    }
}

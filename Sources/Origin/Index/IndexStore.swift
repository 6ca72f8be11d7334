package import Postgres
import Registry

/// What one statement saw of a crate's index file, and where in the feed that moment lies.
struct IndexSnapshot {
    enum Content {
        case absent
        /// The asker holds this very file.
        case unchanged(EntityTag)
        case file(EntityTag, text: String)
    }

    let content: Content
    /// The feed position of the snapshot: no later change is in the content, every earlier one is.
    let position: UInt64
}

/// Reads index files: rows, joined into bytes inside the database.
package struct IndexStore: Sendable {
    let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// One statement, hence one snapshot: content, generation and position belong together.
    ///
    /// - Parameter known: tags of files that the asker holds; the text of such a file is not even read.
    func file(_ path: IndexPath, in repository: Repository, known: [EntityTag]) async throws -> IndexSnapshot {
        guard let row = try await pool.query(Self.statement(path, in: repository, known: known)).first else {
            throw FeedDamage.noHead
        }
        return IndexSnapshot(content: try content(row), position: try row.value("position", as: UInt64.self))
    }

    /// Always one row: the position, and the crate's file beside it if there is one.
    static func statement(_ path: IndexPath, in repository: Repository, known: [EntityTag]) -> Query {
        let identity = path.name.replacingHyphens
        let tags = known.map { "\($0.generation)-\($0.checksum)" }
        return """
            SELECT feed_head.position, found.* FROM feed_head LEFT JOIN (
              SELECT crate.generation, crate.index_checksum, crate.is_known, CASE WHEN NOT crate.is_known THEN (
                SELECT string_agg(line || E'\\n', '' ORDER BY id) FROM versions WHERE crate_id = crate.id
              ) END AS text FROM (
                SELECT id, generation, index_checksum,
                  (generation || '-' || encode(index_checksum, 'hex')) = ANY(\(tags)::text[]) AS is_known
                FROM crates WHERE repository_id = \(repository.id) AND identity = \(identity)
                  AND lower(name) = \(path.name)
              ) AS crate
            ) AS found ON true
            """
    }

    private func content(_ row: Row) throws -> IndexSnapshot.Content {
        // An upstream's crate that is gone has a generation, but no file.
        guard let generation = try row.value("generation", as: UInt64?.self), generation > 0,
            let bytes = try row.value("index_checksum", as: [UInt8]?.self)
        else { return .absent }
        guard let checksum = Checksum(bytes: bytes) else {
            preconditionFailure("the checksum of an index file is a SHA-256")
        }
        let tag = EntityTag(generation: generation, checksum: checksum)
        if try row.value("is_known", as: Bool.self) { return .unchanged(tag) }
        return .file(tag, text: try row.value("text", as: String.self))
    }
}

extension String {
    /// The identity of a lower-case crate name.
    fileprivate var replacingHyphens: String { String(map { $0 == "-" ? "_" : $0 }) }
}

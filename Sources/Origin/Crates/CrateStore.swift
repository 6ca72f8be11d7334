package import Postgres
import Registry

/// Finds the blob that a download address names.
package struct CrateStore: Sendable {
    let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    struct Found {
        let checksum: Checksum
        /// 0 for an upstream's version whose file was not fetched yet.
        let bytes: Int
        /// Why policy lets nobody have it; nil: it does.
        let refusal: String?
        /// The rule that decided.
        let rule: String?
    }

    /// One statement, hence one snapshot of the version and the feed's position.
    ///
    /// - Parameters:
    ///   - name: as the index spells it; another spelling finds nothing.
    ///   - checksum: must be that version's own, so that no path reaches another repository's bytes (I7); nil for the
    ///     address without one.
    func find(
        _ name: CrateName, _ version: Version, _ checksum: Checksum?, in repository: Repository
    ) async throws -> (found: Found?, position: UInt64) {
        guard let row = try await pool.query(Self.statement(name, version, checksum, in: repository)).first else {
            throw FeedDamage.noHead
        }
        let position = try row.value("position", as: UInt64.self)
        guard let bytes = try row.value("bytes", as: Int?.self),
            let checksum = Checksum(bytes: try row.value("checksum", as: [UInt8].self))
        else { return (nil, position) }
        let found = Found(
            checksum: checksum, bytes: bytes, refusal: try row.value("refusal", as: String?.self),
            rule: try row.value("rule", as: String?.self))
        return (found, position)
    }

    /// Always one row: the position, and the version beside it if there is one.
    static func statement(
        _ name: CrateName, _ version: Version, _ checksum: Checksum?, in repository: Repository
    ) -> Query {
        """
        SELECT feed_head.position, found.* FROM feed_head LEFT JOIN (
          SELECT versions.checksum, versions.bytes, decisions.refusal, decisions.rule
          FROM crates JOIN versions ON versions.crate_id = crates.id
          LEFT JOIN decisions ON decisions.version_id = versions.id
          WHERE crates.repository_id = \(repository.id) AND crates.identity = \(name.identity)
            AND crates.name = \(name.spelling) AND versions.bare_number = \(version.bare)
            AND versions.number = \(version.description)
            AND versions.checksum = coalesce(\(checksum?.bytes)::bytea, versions.checksum)
        ) AS found ON true
        """
    }
}

import Postgres
import Registry

extension UpstreamStore {
    /// Where a version's file comes from; nil for a version of our own, or of an upstream that was removed.
    func source(of name: CrateName, _ version: Version, in repository: Repository) async throws -> Upstream? {
        try await pool.query(
            """
            SELECT \(literal: Self.columns) FROM upstreams
            JOIN versions ON versions.upstream_id = upstreams.id JOIN crates ON crates.id = versions.crate_id
            WHERE crates.repository_id = \(repository.id) AND identity = \(name.identity)
              AND bare_number = \(version.bare) AND removed_at IS NULL
            """
        ).first.map(Self.upstream)
    }

    /// The file is stored: from here on the version is like any other.
    func noteBytes(_ bytes: Int, of checksum: Checksum, _ name: CrateName, in repository: Repository) async throws {
        _ = try await pool.execute(
            """
            UPDATE versions SET bytes = \(bytes) FROM crates
            WHERE crates.id = crate_id AND crates.repository_id = \(repository.id) AND identity = \(name.identity)
              AND checksum = \(checksum.bytes) AND bytes = 0
            """)
    }

    /// A name whose turn it is to be asked for again.
    struct Due: Sendable {
        let upstream: Int64
        let name: CrateName
        let repository: RepositoryName
    }

    /// Takes names that are no longer fresh, the oldest first; no other replica gets them for a minute.
    func claimDue(limit: Int) async throws -> [Due] {
        try await pool.query(
            """
            WITH due AS (
              SELECT files.upstream_id, files.name, repositories.name AS repository
              FROM upstream_files AS files JOIN upstreams ON upstreams.id = files.upstream_id
              JOIN repositories ON repositories.id = upstreams.repository_id
              WHERE removed_at IS NULL AND files.checked_at < now() - make_interval(secs => fresh_seconds)
                AND coalesce(files.claimed_until < now(), true)
              ORDER BY files.checked_at LIMIT \(limit) FOR UPDATE OF files SKIP LOCKED
            )
            UPDATE upstream_files SET claimed_until = now() + interval '1 minute' FROM due
            WHERE upstream_files.upstream_id = due.upstream_id AND upstream_files.name = due.name
            RETURNING upstream_files.upstream_id, upstream_files.name, due.repository
            """
        ).compactMap { row in
            guard let name = try? CrateName(row.value("name", as: String.self)) else { return nil }
            return Due(
                upstream: try row.value("upstream_id", as: Int64.self), name: name,
                repository: try RepositoryName(try row.value("repository", as: String.self)))
        }
    }
}

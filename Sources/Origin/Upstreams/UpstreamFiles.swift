import CrateFile
import Facts
import Postgres
import Registry

extension UpstreamStore {
    /// Where a version's file comes from, and for how many seconds that is not to be asked; nil for a version of our own, or of an
    /// upstream that was removed.
    func source(
        of name: CrateName, _ version: Version, in repository: Repository
    ) async throws -> (upstream: Upstream, pauseSeconds: Double)? {
        try await pool.query(
            """
            SELECT \(literal: Self.columns), coalesce(extract(epoch FROM paused_until - now()), 0)::float8 AS pause
            FROM upstreams JOIN versions ON versions.upstream_id = upstreams.id JOIN crates ON crates.id = versions.crate_id
            WHERE crates.repository_id = \(repository.id) AND identity = \(name.identity)
              AND bare_number = \(version.bare) AND removed_at IS NULL
            """
        ).first.map { (try Self.upstream($0), try $0.value("pause", as: Double.self)) }
    }

    /// The file is stored: from here on the version is like any other, and judged by what its manifest says.
    ///
    /// - Parameter traits: nil if the manifest can't be read.
    func arrived(
        _ bytes: Int, _ traits: ManifestTraits?, of checksum: Checksum, _ name: CrateName, in repository: Repository
    ) async throws {
        try await pool.withTransaction { transaction in
            guard let crate = try await CrateRows.lock(name, in: repository.id, transaction) else { return }
            let rows = try await transaction.query(
                """
                UPDATE versions SET bytes = \(bytes)
                WHERE crate_id = \(crate.id) AND checksum = \(checksum.bytes) AND bytes = 0 RETURNING id
                """)
            var verdicts = Verdicts.none
            for id in try rows.map({ try $0.value("id", as: Int64.self) }) {
                if let traits {
                    verdicts += try await facts.fill(traits, of: id, in: transaction)
                } else {
                    // That nobody can read it is news, too.
                    verdicts += try await facts.changed([id], cause: .manifest, in: transaction)
                }
            }
            try await audit.record(verdicts.entries, in: transaction)
            if !verdicts.events.isEmpty { _ = try await events.append(verdicts.events, in: transaction) }
        }
    }

    /// A name whose turn it is to be asked for again.
    struct Due: Sendable {
        let upstream: Int64
        let name: CrateName
        let repository: RepositoryName
    }

    /// Takes names that are no longer fresh, the oldest of each upstream first; no other replica gets them for a minute.
    ///
    /// - Parameters:
    ///   - limit: names of each upstream.
    ///   - busy: upstreams of which none are taken.
    func claimDue(limit: Int, except busy: [Int64]) async throws -> [Due] {
        try await pool.query(
            """
            WITH due AS (
              SELECT files.upstream_id, files.name, repositories.name AS repository
              FROM upstreams JOIN repositories ON repositories.id = upstreams.repository_id
              CROSS JOIN LATERAL (
                SELECT upstream_id, name FROM upstream_files
                WHERE upstream_id = upstreams.id AND checked_at < now() - make_interval(secs => fresh_seconds)
                  AND coalesce(claimed_until < now(), true)
                ORDER BY checked_at LIMIT \(limit) FOR UPDATE SKIP LOCKED
              ) AS files
              WHERE removed_at IS NULL AND coalesce(paused_until < now(), true)
                AND upstreams.id <> ALL(\(busy)::bigint[])
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

import Postgres
import Registry

/// How an upstream stands, for administrators: everything but its credential.
struct UpstreamOverview: Sendable {
    let repository: String
    let upstream: Upstream
    /// In the repository's order, from 1 on.
    let position: Int
    /// Names that it was asked for, and of those the ones that it does not have.
    let namesKnown: Int
    let namesAbsent: Int
    /// Not asked for anything before, and why; nil: it is asked.
    let pausedUntil: String?
    let pauseCause: String?
    /// Names of which the last answer was of no use.
    let faults: Int
    let lastFault: UpstreamFaultView?
}

/// A useless answer, as commands and the API show it.
struct UpstreamFaultView: Encodable, Hashable, Sendable {
    let upstream: String
    let crate: String
    let cause: String
    let at: String
}

extension UpstreamStore {
    /// - Parameter repository: nil: of all repositories, by name.
    func overview(of repository: Repository?) async throws -> [UpstreamOverview] {
        try await pool.query(
            """
            SELECT \(literal: Self.columns), repositories.name AS repository,
              row_number() OVER (PARTITION BY repository_id ORDER BY place, upstreams.id) AS position,
              to_char(CASE WHEN paused_until > now() THEN paused_until END, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS paused,
              CASE WHEN paused_until > now() THEN pause_cause END AS pause_cause,
              files.known, files.absent, faults.count AS faults,
              last.name AS fault_name, last.cause AS fault_cause,
              to_char(last.at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS fault_at
            FROM upstreams JOIN repositories ON repositories.id = upstreams.repository_id
            CROSS JOIN LATERAL (
              SELECT count(*) AS known, count(*) FILTER (WHERE is_absent) AS absent
              FROM upstream_files WHERE upstream_id = upstreams.id) AS files
            CROSS JOIN LATERAL (SELECT count(*) FROM upstream_faults WHERE upstream_id = upstreams.id) AS faults
            LEFT JOIN LATERAL (
              SELECT * FROM upstream_faults WHERE upstream_id = upstreams.id ORDER BY at DESC LIMIT 1) AS last ON true
            WHERE removed_at IS NULL AND (\(repository?.id)::bigint IS NULL OR repository_id = \(repository?.id)::bigint)
            ORDER BY repositories.name, place, upstreams.id
            """
        ).map(Self.overview)
    }

    /// The last useless answers, newest first; at most 100.
    ///
    /// - Parameter upstream: nil: of all the repository's.
    func faults(of repository: Repository, upstream: RepositoryName? = nil) async throws -> [UpstreamFaultView] {
        try await pool.query(
            """
            SELECT upstreams.name AS upstream, upstream_faults.name AS crate, cause,
              to_char(upstream_faults.at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at
            FROM upstream_faults JOIN upstreams ON upstreams.id = upstream_id
            WHERE repository_id = \(repository.id) AND removed_at IS NULL
              AND upstreams.name = coalesce(\(upstream?.description), upstreams.name)
            ORDER BY upstream_faults.at DESC LIMIT 100
            """
        ).map { row in
            UpstreamFaultView(
                upstream: try row.value("upstream"), crate: try row.value("crate"), cause: try row.value("cause"),
                at: try row.value("at"))
        }
    }

    private static func overview(_ row: Row) throws -> UpstreamOverview {
        let upstream = try upstream(row)
        let crate = try row.value("fault_name", as: String?.self)
        let last = try crate.map { crate in
            UpstreamFaultView(
                upstream: upstream.name, crate: crate, cause: try row.value("fault_cause"),
                at: try row.value("fault_at"))
        }
        return UpstreamOverview(
            repository: try row.value("repository"), upstream: upstream, position: try row.value("position"),
            namesKnown: try row.value("known"),
            namesAbsent: try row.value("absent"), pausedUntil: try row.value("paused", as: String?.self),
            pauseCause: try row.value("pause_cause", as: String?.self), faults: try row.value("faults"), lastFault: last
        )
    }
}

/// An upstream as the API and `--json` show it.
struct UpstreamView: Encodable, Sendable {
    let repository: String
    let name: String
    /// From 1 on: the first one is asked first.
    let position: Int
    let index: String
    let include: [String]
    let exclude: [String]
    let freshSeconds: Int
    let allowPrivate: Bool
    let alsoHosts: [String]
    let hasCredential: Bool
    let namesKnown: Int
    let namesAbsent: Int
    let pausedUntil: String?
    let pauseCause: String?
    let faults: Int
    let lastFault: UpstreamFaultView?

    init(_ overview: UpstreamOverview) {
        let upstream = overview.upstream
        repository = overview.repository
        name = upstream.name
        position = overview.position
        index = upstream.index.description
        include = upstream.filter.include.map(\.description)
        exclude = upstream.filter.exclude.map(\.description)
        freshSeconds = upstream.freshSeconds
        allowPrivate = upstream.privateAllowed
        alsoHosts = upstream.alsoHosts.map(\.description)
        hasCredential = upstream.sealedCredential != nil
        namesKnown = overview.namesKnown
        namesAbsent = overview.namesAbsent
        pausedUntil = overview.pausedUntil
        pauseCause = overview.pauseCause
        faults = overview.faults
        lastFault = overview.lastFault
    }

    private enum CodingKeys: String, CodingKey {
        case repository, name, position, index, include, exclude, faults
        case freshSeconds = "fresh_seconds"
        case allowPrivate = "allow_private"
        case alsoHosts = "also_hosts"
        case hasCredential = "has_credential"
        case namesKnown = "names_known"
        case namesAbsent = "names_absent"
        case pausedUntil = "paused_until"
        case pauseCause = "pause_cause"
        case lastFault = "last_fault"
    }
}

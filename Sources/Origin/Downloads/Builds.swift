import Postgres
import Registry

/// Which builds pulled a version: the trail of downloads, summed up by who and where.
extension ReadStore {
    /// What one token pulled through one edge from one address.
    struct Build: Encodable, Hashable, Sendable {
        let repository: String
        /// Nil for anonymous readers.
        let token: Int64?
        /// What the token is called; nil if it is not known any more.
        let name: String?
        let login: String?
        /// Nil: the origin itself.
        let edge: String?
        /// The client's; nil if nobody told.
        let address: String?
        let count: Int
        /// RFC 3339 in UTC, by the clock of who served it.
        let first: String
        let last: String
    }

    /// All of them together.
    struct Builds: Encodable, Hashable, Sendable {
        let builds: [Build]
        /// Downloads of which only the number is known: older than `pull-days`, or dropped by a full spool.
        let nameless: Int
    }

    static let buildsMax = 10_000

    /// The latest first; at most `buildsMax`.
    ///
    /// - Parameter repository: nil: all that there are or were.
    func builds(of crate: CrateName, _ version: Version, in repository: RepositoryName?) async throws -> Builds {
        let builds = try await pool.query(Self.builds(crate, version, repository)).map { row in
            Build(
                repository: try row.value("repository"), token: try row.value("token_id"),
                name: try row.value("name"), login: try row.value("login"), edge: try row.value("edge"),
                address: try row.value("address"), count: try row.value("count"), first: try row.value("first"),
                last: try row.value("last"))
        }
        let rows = try await pool.query(
            """
            SELECT least(coalesce(sum(count), 0), \(Self.sumMax)::bigint)::bigint AS total FROM read_counts
            WHERE crate = \(crate.identity) AND version = \(version.description)
              AND repository = coalesce(\(repository?.description), repository)
            """)
        let total = try rows.first?.value("total", as: Int.self) ?? 0
        return Builds(builds: builds, nameless: max(0, total - builds.reduce(0) { $0 + $1.count }))
    }

    static func builds(_ crate: CrateName, _ version: Version, _ repository: RepositoryName?) -> Query {
        """
        SELECT pulls.repository, pulls.token_id, tokens.name, users.login, nullif(pulls.edge, '') AS edge,
          pulls.address, count(*) AS count, to_char(min(pulls.at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS first,
          to_char(max(pulls.at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last
        FROM pulls LEFT JOIN tokens ON tokens.id = pulls.token_id LEFT JOIN users ON users.id = tokens.user_id
        WHERE pulls.crate = \(crate.identity) AND pulls.version = \(version.description)
          AND pulls.repository = coalesce(\(repository?.description), pulls.repository)
        GROUP BY pulls.repository, pulls.token_id, tokens.name, users.login, pulls.edge, pulls.address
        ORDER BY max(pulls.at) DESC LIMIT \(buildsMax)
        """
    }
}

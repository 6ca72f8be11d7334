import Postgres
import Registry

/// What is asked of the counts and of the trail of pulls.
extension ReadStore {
    /// A crate's numbers, all edges and the origin together.
    struct CrateReads: Encodable, Hashable, Sendable {
        struct Version: Encodable, Hashable, Sendable {
            let version: String
            let total: Int
            /// `2026-11-25` → downloads of that day; days without any are left out.
            let days: [String: Int]
        }

        /// As its first publisher spelled it.
        let crate: String
        let total: Int
        let versions: [Version]
        /// Reads of the crate's index file: resolutions, not downloads.
        let indexReads: Int

        private enum CodingKeys: String, CodingKey {
            case crate, total, versions
            case indexReads = "index_reads"
        }
    }

    /// - Parameter days: how many of the last days are told one by one; totals are of all time.
    /// - Returns: nil if the repository has no such crate.
    func reads(of crate: CrateName, in repository: Repository, days: Int) async throws -> CrateReads? {
        guard
            let name = try await pool.query(
                "SELECT name FROM crates WHERE repository_id = \(repository.id) AND identity = \(crate.identity)"
            ).first?.value("name", as: String.self)
        else { return nil }
        let rows = try await pool.query(Self.counts(of: crate, in: repository.name, days: days))
        var totals: [String: Int] = [:]
        var told: [String: [String: Int]] = [:]
        for row in rows {
            let version = try row.value("version", as: String.self)
            totals[version] = try row.value("total", as: Int.self)
            guard let day = try row.value("told", as: String?.self) else { continue }
            told[version, default: [:]][day] = try row.value("count", as: Int.self)
        }
        let indexReads = totals.removeValue(forKey: "") ?? 0
        let versions = totals.sorted { $0.key < $1.key }.map { version, total in
            CrateReads.Version(version: version, total: total, days: told[version] ?? [:])
        }
        return CrateReads(
            crate: name, total: totals.values.reduce(0) { min($0 + $1, Self.sumMax) }, versions: versions,
            indexReads: indexReads)
    }

    /// A row for each version and day that is told, and one for all its other days.
    static func counts(of crate: CrateName, in repository: RepositoryName, days: Int) -> Query {
        """
        SELECT version,
          least(sum(sum(count)) OVER (PARTITION BY version), \(sumMax)::bigint)::bigint AS total,
          least(sum(count), \(sumMax)::bigint)::bigint AS count,
          CASE WHEN day > (now() AT TIME ZONE 'UTC')::date - \(days)::integer THEN day::text END AS told
        FROM read_counts WHERE repository = \(repository.description) AND crate = \(crate.identity)
        GROUP BY version, told ORDER BY version, told
        """
    }

    /// One line of a repository's overview.
    struct Sum: Encodable, Hashable, Sendable {
        let crate: String
        let downloads: Int
        let indexReads: Int

        private enum CodingKeys: String, CodingKey {
            case crate, downloads
            case indexReads = "index_reads"
        }
    }

    /// All crates of a repository that were ever read, the most downloaded first.
    func sums(in repository: RepositoryName) async throws -> [Sum] {
        let rows = try await pool.query(
            """
            SELECT read_counts.crate,
              least(coalesce(sum(count) FILTER (WHERE version <> ''), 0), \(Self.sumMax)::bigint)::bigint AS downloads,
              least(coalesce(sum(count) FILTER (WHERE version = ''), 0), \(Self.sumMax)::bigint)::bigint AS index_reads
            FROM read_counts WHERE repository = \(repository.description)
            GROUP BY read_counts.crate ORDER BY downloads DESC, read_counts.crate
            """)
        return try rows.map { row in
            Sum(
                crate: try row.value("crate", as: String.self), downloads: try row.value("downloads", as: Int.self),
                indexReads: try row.value("index_reads", as: Int.self))
        }
    }

    /// One download, as the trail tells it.
    struct Pull: Encodable, Hashable, Sendable {
        let id: Int64
        /// RFC 3339 in UTC with whole seconds, by the clock of who served it.
        let at: String
        /// Nil: the origin itself.
        let edge: String?
        let repository: String
        /// The crate's identity: lower case, `-` read as `_`.
        let crate: String
        let version: String
        /// Nil for an anonymous reader.
        let token: Int64?
        let login: String?
        let bytes: Int
        let cache: String
        /// The client's; nil if nobody told.
        let address: String?
    }

    /// What a list of pulls is narrowed to; nil leaves it open.
    struct PullFilter: Hashable, Sendable {
        var repository: String?
        var crate: CrateName?
        /// Of `crate` only: versions alone say little, and have no index.
        var version: String?
        var token: Int64?
        var edge: String?
        /// Only what came before this id: the last one of the page before.
        var before: Int64?
        var limit = 100

        static let limitMax = 1000

        /// What is wrong with it, as a sentence.
        var problem: String? { version != nil && crate == nil ? "a version is asked for with its crate" : nil }
    }

    /// The latest first, in the order in which the origin heard of them.
    func pulls(_ filter: PullFilter) async throws -> [Pull] {
        let rows = try await pool.query(Self.statement(filter))
        return try rows.map { row in
            Pull(
                id: try row.value("id", as: Int64.self), at: try row.value("at", as: String.self),
                edge: try row.value("edge", as: String?.self), repository: try row.value("repository", as: String.self),
                crate: try row.value("crate", as: String.self), version: try row.value("version", as: String.self),
                token: try row.value("token_id", as: Int64?.self), login: try row.value("login", as: String?.self),
                bytes: try row.value("bytes", as: Int.self), cache: try row.value("cache", as: String.self),
                address: try row.value("address", as: String?.self))
        }
    }

    /// Only the conditions that were asked for: a plan for all that might be asked could use no index.
    static func statement(_ filter: PullFilter) -> Query {
        var text = Query.StringInterpolation(literalCapacity: 800, interpolationCount: 7)
        text.appendLiteral(
            """
            SELECT pulls.id, to_char(pulls.at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, nullif(pulls.edge, '') AS edge,
              pulls.repository, pulls.crate, pulls.version, pulls.token_id, users.login, pulls.bytes, pulls.cache,
              pulls.address
            FROM pulls LEFT JOIN tokens ON tokens.id = pulls.token_id LEFT JOIN users ON users.id = tokens.user_id
            WHERE true
            """)
        func narrow(_ condition: StaticString, _ value: (some PostgresEncodable)?) {
            guard let value else { return }
            text.appendInterpolation(literal: condition)
            text.appendInterpolation(value)
        }
        narrow(" AND pulls.repository = ", filter.repository)
        narrow(" AND pulls.crate = ", filter.crate?.identity)
        narrow(" AND pulls.version = ", filter.version)
        narrow(" AND pulls.token_id = ", filter.token)
        narrow(" AND pulls.edge = ", filter.edge)
        narrow(" AND pulls.id < ", filter.before)
        text.appendLiteral(" ORDER BY pulls.id DESC LIMIT ")
        text.appendInterpolation(filter.limit)
        return Query(stringInterpolation: text)
    }
}

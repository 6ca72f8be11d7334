import Postgres
import Registry

/// What is known of one name at one upstream.
struct UpstreamStanding: Sendable {
    struct Answered: Sendable {
        let isAbsent: Bool
        let validator: UpstreamValidator
        let ageSeconds: Double
        let stamp: Int64
    }

    enum Verdict: Hashable {
        /// Served as it is.
        case current
        /// Served as it is, and asked for meanwhile.
        case stale
        /// The next upstream is looked at.
        case absent
        /// Asked before anything is said.
        case unknown
        /// Not to be asked yet, and nothing is held.
        case paused(seconds: Int)
    }

    let upstream: Upstream
    let answered: Answered?
    /// Versions of this upstream are held.
    let hasLines: Bool
    /// Until it may be asked again after a fault, for this name or at all; 0 or less: now.
    let pauseSeconds: Double
    /// How much older than fresh an absence may be that is repeated while the upstream gives no useful answer.
    let absenceSecondsMax: Int

    /// Pure.
    ///
    /// | known                             | fresh     | not to be asked now               | else      |
    /// |-----------------------------------|-----------|-----------------------------------|-----------|
    /// | lines                             | `current` | `current`                         | `stale`   |
    /// | that there is no such crate       | `absent`  | `absent` if `repeatsAbsence`, else `paused` | `unknown` |
    /// | nothing                           |           | `paused`                          | `unknown` |
    var verdict: Verdict {
        let isFresh = answered.map { $0.ageSeconds < Double(upstream.freshSeconds) } ?? false
        if let answered, isFresh, answered.isAbsent || hasLines { return answered.isAbsent ? .absent : .current }
        guard pauseSeconds > 0 else { return hasLines ? .stale : .unknown }
        if hasLines { return .current }
        return repeatsAbsence ? .absent : .paused(seconds: min(Int(min(pauseSeconds, 10)) + 1, 10))
    }

    /// The upstream's last word is that there is no such crate.
    var saidAbsent: Bool { answered?.isAbsent ?? false }

    /// The upstream's last word is that there is no such crate, and it is not too old to be repeated. Pure.
    ///
    /// Builds ask for names that are nowhere, and with several upstreams for each name in turn: while one of them is down, they must
    /// go on. No copy of cargo's is lost by it, since an absence was the last that anybody was told of the name.
    var repeatsAbsence: Bool {
        guard let answered, answered.isAbsent, !hasLines else { return false }
        return answered.ageSeconds < Double(upstream.freshSeconds + absenceSecondsMax)
    }
}

extension UpstreamStore {
    /// The upstreams that may be asked for the name, in their order; none if the name is published here or reserved.
    func standings(of name: CrateName, in repository: Repository) async throws -> [UpstreamStanding] {
        let patterns = try await reserved(in: repository)
        guard !patterns.contains(where: { $0.covers(name) }) else { return [] }
        let rows = try await pool.query(Self.standings(of: [name], in: repository))
        return try Self.standings(rows, of: [name], in: repository)[name.lowered] ?? []
    }

    /// The same for many names, in the snapshot of a transaction.
    ///
    /// - Returns: by lower-case name.
    func standings(
        of names: [CrateName], in repository: Repository, _ transaction: Transaction
    ) async throws -> [String: [UpstreamStanding]] {
        let patterns = try Self.patterns(await transaction.query(Self.reserved(in: repository)))
        let open = names.filter { name in !patterns.contains { $0.covers(name) } }
        guard !open.isEmpty else { return [:] }
        let rows = try await transaction.query(Self.standings(of: open, in: repository))
        return try Self.standings(rows, of: open, in: repository)
    }

    /// For each name its crate's row, and of its versions the first that counts, whatever the planner knows of the tables: `OFFSET 0`
    /// keeps it from reading the versions of all crates once for all names.
    static func standings(of names: [CrateName], in repository: Repository) -> Query {
        """
        SELECT asked.name AS asked, \(literal: Self.columns), files.is_absent, files.etag, files.last_modified, files.stamp,
          extract(epoch FROM now() - files.checked_at)::float8 AS age,
          coalesce(extract(epoch FROM greatest(faults.retry_at, paused_until) - now()), 0)::float8
            AS pause,
          lower(crates.name) IS NOT DISTINCT FROM asked.name AND EXISTS (
            SELECT 1 FROM versions WHERE crate_id = crates.id AND upstream_id = upstreams.id OFFSET 0) AS has_lines,
          EXISTS (SELECT 1 FROM versions WHERE crate_id = crates.id AND upstream_id IS NULL OFFSET 0) AS is_own
        FROM unnest(\(names.map(\.lowered))::text[], \(names.map(\.identity))::text[]) AS asked (name, identity)
        CROSS JOIN upstreams
        LEFT JOIN crates ON crates.repository_id = \(repository.id) AND crates.identity = asked.identity
        LEFT JOIN upstream_files AS files ON files.upstream_id = upstreams.id AND files.name = asked.name
        LEFT JOIN upstream_faults AS faults ON faults.upstream_id = upstreams.id AND faults.name = asked.name
        WHERE upstreams.repository_id = \(repository.id) AND removed_at IS NULL ORDER BY place, upstreams.id
        """
    }

    /// - Parameter rows: in the order of the upstreams.
    private static func standings(
        _ rows: [Row], of names: [CrateName], in repository: Repository
    ) throws -> [String: [UpstreamStanding]] {
        let byName = Dictionary(names.map { ($0.lowered, $0) }, uniquingKeysWith: { first, _ in first })
        let absenceSecondsMax = repository.offline == .refuse ? 0 : repository.offlineSecondsMax
        var standings: [String: [UpstreamStanding]] = [:]
        for row in rows where try !row.value("is_own", as: Bool.self) {
            let name = try row.value("asked", as: String.self)
            let standing = try Self.standing(row, absenceSecondsMax: absenceSecondsMax)
            guard let asked = byName[name], standing.upstream.filter.covers(asked) else { continue }
            standings[name, default: []].append(standing)
        }
        return standings
    }

    private static func standing(_ row: Row, absenceSecondsMax: Int) throws -> UpstreamStanding {
        var answered: UpstreamStanding.Answered?
        if let isAbsent = try row.value("is_absent", as: Bool?.self) {
            answered = UpstreamStanding.Answered(
                isAbsent: isAbsent,
                validator: UpstreamValidator(
                    etag: try row.value("etag", as: String?.self),
                    lastModified: try row.value("last_modified", as: String?.self)),
                ageSeconds: try row.value("age", as: Double.self), stamp: try row.value("stamp", as: Int64.self))
        }
        return UpstreamStanding(
            upstream: try upstream(row), answered: answered,
            hasLines: try row.value("has_lines", as: Bool.self),
            pauseSeconds: try row.value("pause", as: Double.self), absenceSecondsMax: absenceSecondsMax)
    }
}

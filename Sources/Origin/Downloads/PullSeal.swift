import Postgres

/// A run of downloads, whose hash a line of the audit log carries: the chain covers each without a line for each.
///
/// The hash is SHA-256 over one line of compact JSON with sorted keys for each pull, in the order of ids:
/// `{"address":"192.0.2.9","at":"2026-11-25T08:18:06Z","bytes":703,"cache":"HIT","crate":"tidewater","edge":"eu","id":4,…}`.
/// Seals of before there were addresses have no `form`; their lines leave addresses out, whatever the rows say by now.
struct PullSeal: Hashable, Sendable {
    static let action = "downloads.seal"
    /// One line of audit for so many at most.
    static let pullsMax = 10_000

    /// What the hash is made of. A replica of before may seal while this one writes addresses.
    enum Form: String { case withoutAddress = "1", withAddress = "2" }

    /// Ids, both included; not all between them need exist.
    var from: Int64
    var to: Int64
    var count: Int
    /// RFC 3339 in UTC with whole seconds, which sorts as it is read.
    var oldest: String
    var newest: String
    /// 64 lower-case hex digits.
    var sha256: String
    var form: Form

    var detail: [String: String] {
        var detail = [
            "from": "\(from)", "to": "\(to)", "count": "\(count)", "oldest": oldest, "newest": newest, "sha256": sha256,
        ]
        if form != .withoutAddress { detail["form"] = form.rawValue }
        return detail
    }

    init(from: Int64, to: Int64, count: Int, oldest: String, newest: String, sha256: String, form: Form = .withAddress)
    {
        (self.from, self.to, self.count) = (from, to, count)
        (self.oldest, self.newest, self.sha256, self.form) = (oldest, newest, sha256, form)
    }

    /// - Returns: nil if a line's detail is no seal.
    init?(_ detail: [String: String]) {
        guard let from = detail["from"].flatMap({ Int64($0) }), let to = detail["to"].flatMap({ Int64($0) }),
            let count = detail["count"].flatMap({ Int($0) }), let oldest = detail["oldest"],
            let newest = detail["newest"], let sha256 = detail["sha256"],
            let form = Form(rawValue: detail["form"] ?? Form.withoutAddress.rawValue)
        else { return nil }
        self.init(from: from, to: to, count: count, oldest: oldest, newest: newest, sha256: sha256, form: form)
    }

    /// What is wrong with the pulls of this run as they are now; pure.
    ///
    /// - Parameters:
    ///   - now: of the same ids; nil if none is there.
    ///   - horizon: what is older may have gone by `pull-days`.
    func problem(now: PullSeal?, horizon: String) -> String? {
        let found = now?.count ?? 0
        if found == count { return now?.sha256 == sha256 ? nil : "are not what they were" }
        if found > count { return "are \(found) now, but were \(count)" }
        // Of a run that is partly past its time nothing can be said: what is left is not what was hashed.
        return oldest < horizon ? nil : "were \(count), and \(count - found) are gone"
    }
}

/// Seals pulls, and looks at what was sealed. Owns `pull_seal`.
struct PullSealStore: Sendable {
    let pool: PostgresPool
    let audit = AuditStore()

    /// A moment: all pulls up to `last` are there or never will be, once no transaction before `transaction` runs.
    struct Mark: Hashable, Sendable {
        let last: Int64
        let transaction: Int64
    }

    /// - Returns: nil if nothing came since the last seal.
    func mark() async throws -> Mark? {
        let rows = try await pool.query(
            """
            SELECT (SELECT max(id) FROM pulls) AS last, (SELECT last_id FROM pull_seal) AS sealed,
              pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS transaction
            """)
        guard let row = rows.first, let last = try row.value("last", as: Int64?.self),
            last > (try row.value("sealed", as: Int64?.self) ?? last)
        else { return nil }
        return Mark(last: last, transaction: try row.value("transaction"))
    }

    /// Whether all transactions that ran at the mark have ended.
    func isRipe(_ mark: Mark) async throws -> Bool {
        let rows = try await pool.query(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= \(mark.transaction) AS is_ripe")
        return try rows.first?.value("is_ripe") ?? false
    }

    /// Seals the next run up to a ripe mark.
    ///
    /// - Returns: false if there is nothing left to seal.
    func seal(upTo mark: Mark) async throws -> Bool {
        try await pool.withTransaction { transaction in
            // The row's lock: of several replicas one seals, and the next goes on behind it.
            let rows = try await transaction.query("SELECT last_id FROM pull_seal FOR UPDATE")
            guard let last = try rows.first?.value("last_id", as: Int64.self), last < mark.last else { return false }
            let found = try await transaction.query(
                Self.hash(after: last, upTo: mark.last, limit: PullSeal.pullsMax, .withAddress))
            guard let seal = try found.first.flatMap({ try Self.read($0, from: last + 1, .withAddress) }) else {
                return false
            }
            _ = try await transaction.execute("UPDATE pull_seal SET last_id = \(seal.to)")
            try await audit.record(
                AuditEntry(actor: Actor.origin.name, action: PullSeal.action, detail: seal.detail), in: transaction)
            return seal.to < mark.last
        }
    }

    /// The same run as it is now; nil if nothing of it is there.
    func now(_ seal: PullSeal) async throws -> PullSeal? {
        let rows = try await pool.query(
            Self.hash(after: seal.from - 1, upTo: seal.to, limit: PullSeal.pullsMax + 1, seal.form))
        return try rows.first.flatMap { try Self.read($0, from: seal.from, seal.form) }
    }

    /// So many days ago, by the database's clock; pruning lags behind by as much as its interval.
    func horizon(days: Int) async throws -> String {
        let rows = try await pool.query(
            "SELECT to_char(now() AT TIME ZONE 'UTC' - make_interval(days => \(days)), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS at"
        )
        return try rows.first?.value("at") ?? ""
    }

    private static func hash(after last: Int64, upTo end: Int64, limit: Int, _ form: PullSeal.Form) -> Query {
        """
        SELECT max(id) AS last, count(*) AS count, min(moment) AS oldest, max(moment) AS newest,
          encode(sha256(convert_to(string_agg(
            '{' || CASE WHEN \(form == .withAddress) THEN coalesce('"address":' || to_json(address) || ',', '') ELSE '' END
            || '"at":"' || moment || '","bytes":' || bytes || ',"cache":' || to_json(cache) || ',"crate":' || to_json(crate)
            || ',"edge":' || to_json(edge) || ',"id":' || id || ',"repository":' || to_json(repository)
            || coalesce(',"token":' || token_id, '') || ',"version":' || to_json(version) || '}' || chr(10),
            '' ORDER BY id), 'UTF8')), 'hex') AS sha256
        FROM (
          SELECT pulls.*, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS moment
          FROM pulls WHERE id > \(last) AND id <= \(end) ORDER BY id LIMIT \(limit)) AS run
        """
    }

    private static func read(_ row: Row, from: Int64, _ form: PullSeal.Form) throws -> PullSeal? {
        guard let last = try row.value("last", as: Int64?.self) else { return nil }
        return PullSeal(
            from: from, to: last, count: try row.value("count"), oldest: try row.value("oldest"),
            newest: try row.value("newest"), sha256: try row.value("sha256"), form: form)
    }
}

/// Follows the seals of a log one after the other.
struct PullSealCheck {
    let store: PullSealStore
    let days: Int
    private var last: Int64?
    private var horizon: String?

    init(store: PullSealStore, days: Int) {
        self.store = store
        self.days = days
    }

    /// - Returns: nil if the pulls are as they were sealed, or may have gone by `pull-days`.
    mutating func problem(with detail: [String: String]) async throws -> String? {
        guard let seal = PullSeal(detail) else { return "can't be read" }
        defer { last = seal.to }
        if let last, seal.from != last + 1 { return "begin at \(seal.from), and the seal before ended at \(last)" }
        if horizon == nil { horizon = try await store.horizon(days: days) }
        return seal.problem(now: try await store.now(seal), horizon: horizon ?? "")
    }
}

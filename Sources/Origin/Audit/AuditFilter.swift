import FoundationEssentials
import Postgres
import Registry

/// What a list of the audit log is narrowed to; nil leaves it open.
struct AuditFilter: Hashable, Sendable {
    var repository: String?
    var crate: CrateName?
    /// Of `crate` only.
    var version: String?
    var actor: String?
    var token: Int64?
    var action: String?
    /// From this moment on.
    var since: AuditTime?
    /// Before this moment.
    var until: AuditTime?
    /// Only lines behind this number, the oldest first.
    var after: Int64?
    /// Only lines before this number, the newest first.
    var before: Int64?
    var limit = 100

    static let limitMax = AuditTrail.pageMax

    /// What is wrong with it, as a sentence.
    var problem: String? {
        if version != nil, crate == nil { return "a version is asked for with its crate" }
        if after != nil, before != nil { return "`after` goes forward and `before` backward; give one of them" }
        return nil
    }

    /// Whether the lines come as they were written; else the newest comes first.
    var isForward: Bool { after != nil }
}

/// A moment as people write it: `2026-11-25`, `2026-11-25T08:18:06Z`, or `36h` for so long ago.
struct AuditTime: Hashable, Sendable {
    /// `2026-11-25T08:18:06Z`.
    let text: String

    /// - Parameter now: seconds since 1970.
    /// - Returns: nil if it is none of these.
    init?(_ text: String, now: Int) {
        if let time = Pubtime(text) ?? Pubtime(text + "T00:00:00Z") {
            self.text = time.description
        } else if let seconds = Self.seconds(text), let time = Pubtime(secondsSince1970: Int64(now - seconds)) {
            self.text = time.description
        } else {
            return nil
        }
    }

    private static func seconds(_ text: String) -> Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()),
            (0...1_000_000).contains(count)
        else { return nil }
        return count * unit
    }
}

extension AuditTrail {
    /// A page of the log.
    func list(_ filter: AuditFilter) async throws -> [AuditLine] {
        try await pool.query(Self.statement(filter)).map(AuditLine.init)
    }

    /// Only the conditions that were asked for: a plan for all that might be asked could use no index.
    static func statement(_ filter: AuditFilter) -> Query {
        var text = Query.StringInterpolation(literalCapacity: 1200, interpolationCount: 11)
        text.appendLiteral("SELECT ")
        text.appendInterpolation(literal: AuditLine.columns)
        text.appendLiteral(" FROM audit WHERE true")
        func narrow(_ condition: StaticString, _ value: (some PostgresEncodable)?, _ end: StaticString = "") {
            guard let value else { return }
            text.appendInterpolation(literal: condition)
            text.appendInterpolation(value)
            text.appendInterpolation(literal: end)
        }
        narrow(" AND audit.repository = ", filter.repository)
        narrow(" AND replace(lower(audit.crate), '-', '_') = ", filter.crate?.identity)
        narrow(" AND audit.version = ", filter.version)
        narrow(" AND audit.actor = ", filter.actor)
        narrow(" AND audit.token_id = ", filter.token)
        narrow(" AND audit.action = ", filter.action)
        narrow(" AND audit.at >= ", filter.since?.text, "::timestamptz")
        narrow(" AND audit.at < ", filter.until?.text, "::timestamptz")
        narrow(" AND audit.seq > ", filter.after)
        narrow(" AND audit.seq < ", filter.before)
        text.appendInterpolation(
            literal: filter.isForward ? " ORDER BY audit.seq LIMIT " : " ORDER BY audit.seq DESC LIMIT ")
        text.appendInterpolation(filter.limit)
        return Query(stringInterpolation: text)
    }
}

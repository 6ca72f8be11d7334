import Crypto
import Postgres

/// A line of the audit log as it stands in the table, in an export or in an archive.
///
/// Its hash covers everything else, the hash of the line before among it:
///
/// ```
/// hash = SHA-256 of the canonical text: compact JSON in UTF-8, keys sorted by their bytes, absent fields left out
/// {"action":"yank","actor":"ann","at":"2026-11-25T08:18:06.123456Z","crate":"serde","detail":{},"prev":"…","seq":17,…}
/// ```
///
/// Of an exported line, `jq -cSj 'del(.hash)' | sha256sum` says the same. Source: docs/decisions/0016-audit.md.
struct AuditLine: Hashable, Sendable {
    /// From 1 on, without gaps, in the order of commits.
    var seq: Int64
    /// 64 lower-case hex digits; zeros before the first line.
    var prev: String
    var hash: String
    /// `2026-11-25T08:18:06.123456Z`.
    var at: String
    var actor: String
    var token: Int64?
    var action: String
    var repository: String?
    var crate: String?
    var version: String?
    var rule: String?
    var address: String?
    var request: String?
    var detail: [String: String]

    /// What stands before the first line.
    static let zeroHash = String(repeating: "0", count: 64)

    /// What the hash is made of.
    var canonical: String { text(with: nil) }

    /// The line as it is exported: the canonical text with the hash in its place.
    var json: String { text(with: hash) }

    /// What the hash should be.
    var expectedHash: String { Self.sha256(canonical) }

    static func sha256(_ text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    private func text(with hash: String?) -> String {
        var text = CanonicalJSON()
        text.add("action", action)
        text.add("actor", actor)
        text.add("address", address)
        text.add("at", at)
        text.add("crate", crate)
        text.add("detail", detail)
        text.add("hash", hash)
        text.add("prev", prev)
        text.add("repository", repository)
        text.add("request", request)
        text.add("rule", rule)
        text.add("seq", seq)
        text.add("token", token)
        text.add("version", version)
        return text.finished
    }
}

extension AuditLine {
    /// What a statement must select for `init(_: Row)`.
    static let columns: StaticString = """
        audit.seq, encode(audit.prev, 'hex') AS prev, encode(audit.hash, 'hex') AS hash,
        to_char(audit.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, audit.actor, audit.token_id,
        audit.action, audit.repository, audit.crate, audit.version, audit.rule, audit.address, audit.request,
        ARRAY(SELECT key FROM jsonb_each_text(audit.detail) ORDER BY key) AS detail_keys,
        ARRAY(SELECT coalesce(value, '') FROM jsonb_each_text(audit.detail) ORDER BY key) AS detail_values
        """

    init(_ row: Row) throws {
        let keys = try row.value("detail_keys", as: [String].self)
        let values = try row.value("detail_values", as: [String].self)
        self.init(
            seq: try row.value("seq"), prev: try row.value("prev"), hash: try row.value("hash"),
            at: try row.value("at"), actor: try row.value("actor"), token: try row.value("token_id"),
            action: try row.value("action"), repository: try row.value("repository"), crate: try row.value("crate"),
            version: try row.value("version"), rule: try row.value("rule"), address: try row.value("address"),
            request: try row.value("request"),
            detail: Dictionary(zip(keys, values)) { first, _ in first })
    }
}

/// Compact JSON of a flat object, member by member; keys are to come in the order of their bytes.
///
/// Escapes as PostgreSQL's `to_json` and as `jq` do: the quote, the backslash and what lies below a space.
struct CanonicalJSON {
    private var text = "{"

    var finished: String { text + "}" }

    mutating func add(_ key: String, _ value: String?) {
        guard let value else { return }
        begin(key)
        quote(value)
    }

    mutating func add(_ key: String, _ value: Int64?) {
        guard let value else { return }
        begin(key)
        text += String(value)
    }

    mutating func add(_ key: String, _ members: [String: String]) {
        begin(key)
        var inner = CanonicalJSON()
        // By bytes, as PostgreSQL's collation "C" and jq sort; Swift's own order is by what the letters mean.
        for (key, value) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            inner.add(key, value)
        }
        text += inner.finished
    }

    private mutating func begin(_ key: String) {
        if text.utf8.count > 1 { text += "," }
        quote(key)
        text += ":"
    }

    private mutating func quote(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{8}": text += "\\b"
            case "\t": text += "\\t"
            case "\n": text += "\\n"
            case "\u{c}": text += "\\f"
            case "\r": text += "\\r"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

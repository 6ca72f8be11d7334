import Postgres
import Registry

/// A stored lock file without its text. Times are RFC 3339 in UTC with whole seconds.
struct LockFileRecord: Hashable, Sendable, Encodable {
    let name: String
    /// Who put the first one of this name.
    let owner: String
    /// Who put this one, and with which token; nil on the command line.
    let putBy: String
    let token: Int64?
    /// When this text first came.
    let changed: String
    /// When it was last sent.
    let seen: String
    let bytes: Int
    let sha256: String
    /// Versions from registries.
    let packages: Int

    private enum CodingKeys: String, CodingKey {
        case name, owner
        case putBy = "put_by"
        case token, changed, seen, bytes, sha256, packages
    }

    /// What `init(_: Row)` reads, from `lock_files`.
    static let columns: StaticString = """
        name, owner, put_by, put_token, bytes, encode(sha256, 'hex') AS sha256, packages,
        to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS changed,
        to_char(seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS seen
        """

    init(_ row: Row) throws {
        name = try row.value("name")
        owner = try row.value("owner")
        putBy = try row.value("put_by")
        token = try row.value("put_token")
        changed = try row.value("changed")
        seen = try row.value("seen")
        bytes = try row.value("bytes")
        sha256 = try row.value("sha256")
        packages = try row.value("packages")
    }
}

import Postgres
import Registry

/// Which stored lock files hold a version.
extension LockFileStore {
    /// Whether a lock file means the file that this repository has, or had, under the version.
    enum SameFile: String, Hashable, Sendable, Encodable {
        case same
        /// Its checksum is another: the build takes a version of this name from another registry.
        case another
        /// The lock file has no checksum, or the repository never had the version.
        case unknown
    }

    /// A stored lock file that holds a version.
    struct Holder: Hashable, Sendable, Encodable {
        let name: String
        let owner: String
        let putBy: String
        let token: Int64?
        /// When a build last sent it, UTC.
        let seen: String
        let file: SameFile

        private enum CodingKeys: String, CodingKey {
            case name, owner
            case putBy = "put_by"
            case token, seen, file
        }
    }

    /// By name; at most as many as a repository keeps, twice where one holds two files of this version.
    func holders(of crate: CrateName, _ version: Version, in repository: Repository) async throws -> [Holder] {
        try await pool.query(Self.holders(crate, version, repository)).map { row in
            let isSame = try row.value("is_same", as: Bool?.self)
            return Holder(
                name: try row.value("name"), owner: try row.value("owner"), putBy: try row.value("put_by"),
                token: try row.value("put_token"), seen: try row.value("seen"),
                file: isSame.map { $0 ? .same : .another } ?? .unknown)
        }
    }

    /// `checksums` remembers what a version had, also after it is gone (I2).
    static func holders(_ crate: CrateName, _ version: Version, _ repository: Repository) -> Query {
        """
        SELECT DISTINCT lock_files.name, owner, put_by, put_token, lock_entries.checksum = checksums.checksum AS is_same,
          to_char(seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS seen
        FROM lock_entries JOIN lock_files ON lock_files.id = lock_entries.lock_file_id
        LEFT JOIN checksums ON checksums.repository = \(repository.name.description)
          AND checksums.identity = lock_entries.identity AND checksums.bare_number = lock_entries.bare_number
        WHERE lock_files.repository_id = \(repository.id) AND lock_entries.identity = \(crate.identity)
          AND lock_entries.bare_number = \(version.bare)
        ORDER BY lock_files.name, is_same DESC
        """
    }

    /// The names of those that hold these versions' files, or may: an entry without a checksum counts.
    ///
    /// - Parameter versions: ids.
    func holders(of versions: [Int64], in transaction: Transaction) async throws -> [Int64: [String]] {
        guard !versions.isEmpty else { return [:] }
        return try await transaction.query(
            """
            SELECT DISTINCT versions.id, lock_files.name FROM versions JOIN crates ON crates.id = versions.crate_id
            JOIN lock_entries ON lock_entries.identity = crates.identity
              AND lock_entries.bare_number = versions.bare_number
              AND coalesce(lock_entries.checksum = versions.checksum, true)
            JOIN lock_files ON lock_files.id = lock_entries.lock_file_id
              AND lock_files.repository_id = crates.repository_id
            WHERE versions.id = ANY(\(versions)::bigint[]) ORDER BY versions.id, lock_files.name
            """
        ).reduce(into: [:]) { names, row in
            names[try row.value("id"), default: []].append(try row.value("name"))
        }
    }

    /// How many there are.
    func count(in repository: Repository) async throws -> Int {
        try await pool.query("SELECT count(*) AS count FROM lock_files WHERE repository_id = \(repository.id)")
            .first?.value("count") ?? 0
    }
}

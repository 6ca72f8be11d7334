import Postgres
import Registry

/// The rows of one crate as they are, for whoever checks them: nothing in here is believed.
struct StoredCrate: Sendable {
    struct Version: Sendable {
        let number: String
        let bareNumber: String
        let checksum: [UInt8]
        let bytes: Int
        let line: String
        /// The line as it was published, where another one is served.
        let published: String?
        let isYanked: Bool
        /// True: it came from an upstream, so its line may say what ours never do.
        let isProxied: Bool
        /// What `checksums` says of the number; nil if it says nothing.
        let remembered: [UInt8]?
        /// Why policy lets nobody have it; nil: it does.
        let refusal: String?
    }

    let name: String
    let identity: String
    let generation: Int64
    let indexChecksum: [UInt8]?
    let indexBytes: Int
    let newest: String
    /// In the order in which the index file has them.
    let versions: [Version]
}

/// Reads the tables of this slice row by row.
struct StoredCrates: Sendable {
    let pool: PostgresPool

    /// How many versions the repository has.
    func count(in repository: Repository) async throws -> Int {
        let rows = try await pool.query(
            """
            SELECT count(*) AS versions FROM crates JOIN versions ON versions.crate_id = crates.id
            WHERE crates.repository_id = \(repository.id)
            """)
        guard let row = rows.first else { preconditionFailure("an aggregate has one row") }
        return try row.value("versions", as: Int.self)
    }

    /// - Returns: ids of crates in rising order, fewer than `limit` at the end only.
    func page(in repository: Repository, after id: Int64, limit: Int) async throws -> [Int64] {
        try await pool.query(
            """
            SELECT id FROM crates WHERE repository_id = \(repository.id) AND id > \(id) ORDER BY id LIMIT \(limit)
            """
        ).map { try $0.value("id", as: Int64.self) }
    }

    /// - Parameter name: in the spelling of the index, whatever its case.
    /// - Returns: nil if there is no such crate.
    func crate(named name: CrateName, in repository: Repository) async throws -> StoredCrate? {
        let rows = try await pool.query(
            """
            SELECT id FROM crates WHERE repository_id = \(repository.id) AND identity = \(name.identity)
              AND lower(name) = \(name.lowered)
            """)
        guard let id = try rows.first?.value("id", as: Int64.self) else { return nil }
        return try await crate(id, in: repository)
    }

    /// All names, as their first publishers spelled them.
    func names(in repository: Repository) async throws -> [CrateName] {
        try await pool.query("SELECT name FROM crates WHERE repository_id = \(repository.id) ORDER BY id").compactMap {
            try? CrateName($0.value("name", as: String.self))
        }
    }

    /// One statement, hence one snapshot of the crate, its versions and their checksums.
    ///
    /// - Returns: nil if the crate is gone.
    func crate(_ id: Int64, in repository: Repository) async throws -> StoredCrate? {
        let rows = try await pool.query(
            """
            SELECT crates.name, crates.identity, crates.generation, crates.index_checksum, crates.index_bytes,
              crates.newest, versions.number, versions.bare_number, versions.checksum, versions.bytes, versions.line,
              versions.published_line, versions.yanked, versions.upstream_id IS NOT NULL AS is_proxied,
              checksums.checksum AS remembered, decisions.refusal
            FROM crates LEFT JOIN versions ON versions.crate_id = crates.id
            LEFT JOIN checksums ON checksums.repository = \(repository.name.description)
              AND checksums.identity = crates.identity AND checksums.bare_number = versions.bare_number
            LEFT JOIN decisions ON decisions.version_id = versions.id
            WHERE crates.id = \(id) ORDER BY versions.id
            """)
        guard let first = rows.first else { return nil }
        return StoredCrate(
            name: try first.value("name", as: String.self), identity: try first.value("identity", as: String.self),
            generation: try first.value("generation", as: Int64.self),
            indexChecksum: try first.value("index_checksum", as: [UInt8]?.self),
            indexBytes: try first.value("index_bytes", as: Int.self),
            newest: try first.value("newest", as: String.self), versions: try rows.compactMap(Self.version))
    }

    /// Hands over the checksums of all versions of all repositories in rising order, each once, page by page.
    ///
    /// - Parameter body: asks for the next page; an empty one is the end.
    func withChecksums<Answer>(
        _ body: (_ next: () async throws -> [Checksum]) async throws -> Answer
    ) async throws -> Answer {
        try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            // A cursor sorts once, on the server; pages by key would sort everything for each page.
            try await transaction.run(
                script: "DECLARE named CURSOR FOR SELECT DISTINCT checksum FROM versions ORDER BY checksum")
            return try await body {
                try await transaction.query("FETCH 10000 FROM named").compactMap {
                    Checksum(bytes: try $0.value("checksum", as: [UInt8].self))
                }
            }
        }
    }

    private static func version(_ row: Row) throws -> StoredCrate.Version? {
        guard let number = try row.value("number", as: String?.self) else { return nil }
        return StoredCrate.Version(
            number: number, bareNumber: try row.value("bare_number", as: String.self),
            checksum: try row.value("checksum", as: [UInt8].self), bytes: try row.value("bytes", as: Int.self),
            line: try row.value("line", as: String.self),
            published: try row.value("published_line", as: String?.self),
            isYanked: try row.value("yanked", as: Bool.self),
            isProxied: try row.value("is_proxied", as: Bool.self),
            remembered: try row.value("remembered", as: [UInt8]?.self),
            refusal: try row.value("refusal", as: String?.self))
    }
}

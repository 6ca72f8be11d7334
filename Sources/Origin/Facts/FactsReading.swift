package import Facts
package import Postgres
package import Registry

extension FactsStore {
    /// At most so many versions in one question, so that an answer stays some megabytes.
    package static let versionsMax = 5_000

    /// Everything that is known of these versions; one that is gone is left out.
    ///
    /// - Parameter ids: at most `versionsMax`.
    package func facts(of ids: [Int64], in transaction: Transaction) async throws -> [Int64: VersionFacts] {
        precondition(ids.count <= Self.versionsMax, "facts are asked for in batches")
        let matches = try await advisories.matches(of: ids, in: transaction)
        let rows = try await transaction.query(Self.select.bind(ids))
        var facts: [Int64: VersionFacts] = [:]
        facts.reserveCapacity(rows.count)
        for row in rows {
            let id = try row.value("id", as: Int64.self)
            facts[id] = try VersionFacts(row, advisories: matches[id] ?? [])
        }
        return facts
    }

    /// - Returns: nil if the repository has no such version; build metadata and the crate's spelling don't matter.
    package func facts(
        of version: Version, _ name: CrateName, in repository: RepositoryName
    ) async throws -> VersionFacts? {
        try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            let rows = try await transaction.query(
                """
                SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id
                  JOIN repositories r ON r.id = c.repository_id
                WHERE r.name = \(repository.description) AND c.identity = \(name.identity)
                  AND v.bare_number = \(version.bare)
                """)
            guard let id = try rows.first?.value("id", as: Int64.self) else { return nil }
            return try await facts(of: [id], in: transaction)[id]
        }
    }

    /// $1 ids of versions.
    static let select: Query = """
        SELECT v.id, r.name AS repository, c.name, c.identity, v.number, encode(v.checksum, 'hex') AS checksum,
          -- 0: an upstream's file that was not fetched yet.
          nullif(v.bytes, 0) AS bytes,
          -- What policy changes of a line is its yank, and nothing else.
          v.yanked <> (v.source_line IS NOT NULL) AS yanked, f.origin, f.upstream, to_char(f.published_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS published,
          to_char(f.first_seen_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS first_seen, f.has_manifest, f.license,
          f.yanked_by, to_char(f.yanked_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS yanked_since, f.has_license_file, f.build_script, f.proc_macro, f.links, f.dependencies_normal, f.dependencies_build,
          f.dependencies_dev
        FROM versions v JOIN crates c ON c.id = v.crate_id JOIN repositories r ON r.id = c.repository_id
          JOIN facts f ON f.version_id = v.id
        WHERE v.id = ANY($1::bigint[])
        """
}

extension VersionFacts {
    fileprivate init(_ row: Row, advisories: [AdvisoryMatch]) throws {
        let number = try row.value("number", as: String.self)
        guard let kind = Origin.Kind(rawValue: try row.value("origin", as: String.self)) else {
            preconditionFailure("the table allows the kinds of origin only")
        }
        let isRead = try row.value("has_manifest", as: Bool.self)
        let hasTime = try row.value("published", as: String?.self) != nil
        self.init(
            repository: try row.value("repository"), name: try row.value("name"), identity: try row.value("identity"),
            version: number, isPrerelease: try Version(number).prerelease.isEmpty == false,
            checksum: try row.value("checksum"), bytes: try row.value("bytes", as: Int?.self),
            origin: Origin(kind, upstream: try row.value("upstream", as: String?.self)),
            publishedAt: try row.value("published", as: String?.self), firstSeenAt: try row.value("first_seen"),
            yank: try Yank(row),
            license: isRead
                ? LicenseFacts(
                    text: try row.value("license", as: String?.self), hasFile: try row.value("has_license_file"))
                : .unknown,
            hasBuildScript: isRead ? try row.value("build_script", as: Bool.self) : nil,
            isProcMacro: isRead ? try row.value("proc_macro", as: Bool.self) : nil,
            links: try row.value("links", as: String?.self),
            dependencies: DependencyCounts(
                normal: try row.value("dependencies_normal"), build: try row.value("dependencies_build"),
                dev: try row.value("dependencies_dev")),
            advisories: advisories, sources: Self.sources(kind, isRead: isRead, hasTime: hasTime))
    }

    /// Who says so; a fact that is not known has nobody.
    private static func sources(_ kind: Origin.Kind, isRead: Bool, hasTime: Bool) -> [String: FactSource] {
        let index: FactSource = kind == .upstream ? .upstream : .index
        var sources: [String: FactSource] = [
            "checksum": kind == .upstream ? .upstream : .registry, "bytes": .registry, "first_seen_at": .registry,
            "yank": kind == .upstream ? .upstream : .registry, "links": isRead ? .manifest : index,
            "dependencies": kind == .published ? .manifest : index, "advisories": .advisories,
        ]
        if isRead { for fact in ["license", "build_script", "proc_macro"] { sources[fact] = .manifest } }
        if hasTime { sources["published_at"] = kind == .published ? .registry : index }
        return sources
    }
}

extension VersionFacts.Yank {
    fileprivate init(_ row: Row) throws {
        let isYanked = try row.value("yanked", as: Bool.self)
        let whom = try row.value("yanked_by", as: String?.self).flatMap(By.init)
        self.init(
            isYanked: isYanked, by: isYanked ? whom : nil,
            since: isYanked ? try row.value("yanked_since", as: String?.self) : nil)
    }
}

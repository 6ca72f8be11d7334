import Postgres
import Registry

/// What `keep` does for one name, for many that are new here in as many statements.
extension UpstreamStore {
    private typealias Fresh = (news: UpstreamNews, crate: CrateRows.Crate)

    /// - Parameter all: of one repository, no two of one identity.
    /// - Returns: in their order; nil for a crate of which something is, or was, here: it takes `keep`.
    func keepNew(_ all: [UpstreamNews]) async throws -> [Outcome?] {
        guard let repository = all.first?.repository else { return [] }
        return try await pool.withTransaction { transaction in
            let rows = try await ImportRows.lockOrCreate(all.map(\.name), in: repository.id, transaction)
            let known = try await known(all, rows, in: repository, transaction)
            let news = all.filter { !known.contains($0.name.identity) }
            let noted = try await note(news, transaction)
            let fresh = news.compactMap { news -> Fresh? in
                guard noted.contains(news.name.identity), let crate = rows[news.name.identity] else { return nil }
                return (news, crate)
            }
            try await ImportRows.removeNew(
                rows.filter { !noted.contains($0.key) }.map(\.value), transaction)
            try await write(fresh, in: repository, transaction)
            return all.map { news in
                let identity = news.name.identity
                return known.contains(identity) ? nil : noted.contains(identity) ? .present : .overtaken
            }
        }
    }

    /// Of which crates there is a version, or once was one.
    private func known(
        _ all: [UpstreamNews], _ rows: [String: CrateRows.Crate], in repository: Repository, _ transaction: Transaction
    ) async throws -> Set<String> {
        let identities = all.map(\.name.identity)
        let found = try await transaction.query(
            """
            SELECT identity FROM crates
            WHERE id = ANY(\(rows.values.map(\.id))::bigint[]) AND EXISTS (SELECT 1 FROM versions WHERE crate_id = crates.id)
            UNION SELECT DISTINCT identity FROM checksums
            WHERE repository = \(repository.name.description) AND identity = ANY(\(identities)::text[])
            """)
        return try Set(found.map { try $0.value("identity", as: String.self) })
    }

    /// - Returns: the identities of those that nobody wrote an answer for meanwhile.
    private func note(_ news: [UpstreamNews], _ transaction: Transaction) async throws -> Set<String> {
        guard !news.isEmpty else { return [] }
        let (upstreams, names) = (news.map(\.standing.upstream.id), news.map(\.name.lowered))
        let rows = try await transaction.query(
            """
            INSERT INTO upstream_files (upstream_id, name, is_absent, etag, last_modified)
            SELECT upstream_id, name, false, etag, last_modified
            FROM unnest(\(upstreams)::bigint[], \(names)::text[], \(news.map(\.validator.etag))::text[],
              \(news.map(\.validator.lastModified))::text[]) AS said (upstream_id, name, etag, last_modified)
            ORDER BY upstream_id, name
            ON CONFLICT DO NOTHING RETURNING replace(name, '-', '_') AS identity
            """)
        _ = try await transaction.execute(
            """
            DELETE FROM upstream_faults USING unnest(\(upstreams)::bigint[], \(names)::text[]) AS said (upstream_id, name)
            WHERE upstream_faults.upstream_id = said.upstream_id AND upstream_faults.name = said.name
            """)
        return try Set(rows.map { try $0.value("identity", as: String.self) })
    }

    private func write(_ fresh: [Fresh], in repository: Repository, _ transaction: Transaction) async throws {
        guard !fresh.isEmpty else { return }
        let new = try await insert(fresh, in: repository, transaction)
        let verdicts = try await facts.record(new, cause: .upstream, in: transaction)
        let changes = try await ImportRows.renewIndexFiles(of: fresh.map(\.crate), in: repository.name, transaction)
        let entries = fresh.map { news, _ in
            AuditEntry(
                actor: "upstream \(news.standing.upstream.name)", action: "upstream.change",
                repository: repository.name,
                crate: news.name, detail: ["added": "\(news.file.lines.count)"])
        }
        // Each line of the log says on whose request the upstream was asked.
        let sources = Dictionary(
            fresh.map { ($0.news.name.identity, $0.news.source) }, uniquingKeysWith: { first, _ in first })
        let lines = (entries + verdicts.entries).map { entry in
            (entry: entry, source: entry.crate.flatMap { sources[$0.identity] } ?? RequestSource())
        }
        try await audit.record(lines, in: transaction)
        _ = try await events.append(verdicts.events + changes, in: transaction)
    }

    private func insert(
        _ fresh: [Fresh], in repository: Repository, _ transaction: Transaction
    ) async throws -> [NewFacts] {
        let all = fresh.flatMap { news, crate in
            news.file.lines.map { (crateID: crate.id, upstream: news.standing.upstream, line: $0) }
        }
        let bare = all.map(\.line.version.bare)
        let checksums = all.map(\.line.checksum.bytes)
        _ = try await transaction.execute(
            """
            INSERT INTO checksums (repository, identity, bare_number, checksum)
            SELECT \(repository.name.description), identity, bare_number, checksum
            FROM unnest(\(all.map(\.line.name.identity))::text[], \(bare)::text[], \(checksums)::bytea[])
              AS made (identity, bare_number, checksum)
            """)
        // In this order: ids follow it, and index files follow ids.
        let rows = try await transaction.query(
            """
            INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line, yanked, upstream_yanked, upstream_id)
            SELECT crate_id, number, bare, checksum, 0, text, is_yanked, is_yanked, upstream_id
            FROM unnest(\(all.map(\.crateID))::bigint[], \(all.map(\.line.version.description))::text[], \(bare)::text[],
              \(checksums)::bytea[], \(all.map(\.line.text))::text[], \(all.map(\.line.isYanked))::boolean[],
              \(all.map(\.upstream.id))::bigint[]) WITH ORDINALITY
              AS made (crate_id, number, bare, checksum, text, is_yanked, upstream_id, place) ORDER BY place
            RETURNING id, crate_id, bare_number
            """)
        var ids: [Int64: [String: Int64]] = [:]
        for row in rows {
            let number = try row.value("bare_number", as: String.self)
            ids[try row.value("crate_id", as: Int64.self), default: [:]][number] = try row.value("id", as: Int64.self)
        }
        return all.compactMap { crateID, upstream, line in
            ids[crateID]?[line.version.bare].map { NewFacts($0, line, of: upstream) }
        }
    }
}

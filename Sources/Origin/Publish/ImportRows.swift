import Postgres
import Registry

/// The versions of one crate that an import has checked and stored, in the order of their lines.
struct ImportedCrate: Sendable {
    /// As the source spells it.
    let name: CrateName
    let versions: [CheckedVersion]
}

/// What `CrateRows` and `VersionRows` do for one crate, for many crates in as many statements.
enum ImportRows {
    /// Plans are made for the tables as they are at this moment: an import fills them from empty to full within minutes,
    /// and a plan that is kept from the beginning reads them whole each time.
    static func prepare(_ transaction: Transaction) async throws {
        try await transaction.run(script: "SET LOCAL plan_cache_mode = force_custom_plan")
    }

    /// Of the tables of this slice, and of those that grow with them.
    static func analyze(_ pool: PostgresPool) async throws {
        for table in ["crates", "versions", "checksums", "dependencies", "feed", "audit"] {
            _ = try await pool.execute("ANALYZE \(identifier: table)")
        }
    }

    /// Locks the crates' rows, in the order of their names, and makes those that are missing.
    ///
    /// - Parameter names: no two of one identity.
    /// - Returns: by identity.
    static func lockOrCreate(
        _ names: [CrateName], in repositoryID: Int64, _ transaction: Transaction
    ) async throws -> [String: CrateRows.Crate] {
        let rows = try await transaction.query(
            """
            INSERT INTO crates (repository_id, identity, name)
            SELECT \(repositoryID), identity, name
            FROM unnest(\(names.map(\.identity))::text[], \(names.map(\.spelling))::text[]) AS wanted (identity, name)
            ORDER BY identity
            ON CONFLICT (repository_id, identity) DO UPDATE SET identity = EXCLUDED.identity
            RETURNING id, identity, name, generation
            """)
        var crates: [String: CrateRows.Crate] = [:]
        for row in rows { crates[try row.value("identity", as: String.self)] = try CrateRows.crate(row) }
        return crates
    }

    /// `CrateRows.lockForOwn` for many crates that are locked: what upstreams have under their names gives way.
    static func giveWay(_ crates: [(id: Int64, name: CrateName)], _ transaction: Transaction) async throws {
        let (ids, names) = (crates.map(\.id), crates.map(\.name.spelling))
        _ = try await transaction.execute(
            """
            WITH gone AS (
              DELETE FROM versions WHERE crate_id = ANY(\(ids)::bigint[]) AND upstream_id IS NOT NULL RETURNING crate_id
            )
            UPDATE crates SET name = own.name FROM unnest(\(ids)::bigint[], \(names)::text[]) AS own (id, name)
            WHERE crates.id = own.id AND crates.id IN (SELECT crate_id FROM gone)
            """)
    }

    /// Removes rows that this transaction has made for crates that got no version.
    static func removeNew(_ crates: [CrateRows.Crate], _ transaction: Transaction) async throws {
        let ids = crates.filter { $0.generation == 0 }.map(\.id)
        guard !ids.isEmpty else { return }
        _ = try await transaction.execute(
            "DELETE FROM crates WHERE id = ANY(\(ids)::bigint[]) AND generation = 0")
    }

    /// Adds the versions' rows and remembers their checksums for ever (I2).
    ///
    /// - Parameters:
    ///   - userID: nil for an import in nobody's name.
    ///   - rewrites: as `CratesIORule` says in this transaction.
    /// - Returns: the ids of the versions' rows, in the order of `versions`.
    static func insert(
        _ versions: [(crateID: Int64, version: CheckedVersion)], of repository: RepositoryName, by userID: Int32?,
        rewrites: Bool, _ transaction: Transaction
    ) async throws -> [Int64] {
        let bare = versions.map(\.version.facts.version.bare)
        let checksums = versions.map(\.version.line.checksum.bytes)
        let lines = versions.map { $0.version.servedLine(rewrites: rewrites) }
        _ = try await transaction.execute(
            """
            INSERT INTO checksums (repository, identity, bare_number, checksum)
            SELECT \(repository.description), identity, bare_number, checksum
            FROM unnest(\(versions.map(\.version.facts.name.identity))::text[], \(bare)::text[], \(checksums)::bytea[])
              AS made (identity, bare_number, checksum) ON CONFLICT DO NOTHING
            """)
        // In this order: ids follow it, and index files follow ids.
        let rows = try await transaction.query(
            """
            INSERT INTO versions (crate_id, number, bare_number, checksum, bytes, line, published_line, yanked,
              published_by, published_at)
            SELECT crate_id, number, bare_number, checksum, bytes, line, published_line, yanked, \(userID)::integer,
              coalesce(pubtime::timestamptz, now())
            FROM unnest(\(versions.map(\.crateID))::bigint[], \(versions.map(\.version.facts.version.description))::text[],
              \(bare)::text[], \(checksums)::bytea[], \(versions.map(\.version.bytes))::bigint[],
              \(lines.map(\.served))::text[], \(lines.map(\.published))::text[],
              \(versions.map(\.version.line.isYanked))::boolean[],
              \(versions.map(\.version.line.pubtime?.description))::text[]) WITH ORDINALITY
              AS made (crate_id, number, bare_number, checksum, bytes, line, published_line, yanked, pubtime, place)
            ORDER BY place
            RETURNING id, crate_id, number
            """)
        var ids: [Int64: [String: Int64]] = [:]
        for row in rows {
            let number = try row.value("number", as: String.self)
            ids[try row.value("crate_id", as: Int64.self), default: [:]][number] = try row.value("id", as: Int64.self)
        }
        return versions.map { crateID, version in
            guard let id = ids[crateID]?[version.facts.version.description] else {
                preconditionFailure("an insert returns each row that it made")
            }
            return id
        }
    }

    /// `CrateRows.renewIndexFile` for many crates.
    ///
    /// - Returns: the events that tell the edges, in the order of `crates`.
    static func renewIndexFiles(
        of crates: [CrateRows.Crate], in repository: RepositoryName, _ transaction: Transaction
    ) async throws -> [RegistryEvent] {
        let ids = crates.map(\.id)
        let versions = try await versions(of: ids, transaction)
        let newest = ids.map { NewestVersion.among(versions[$0] ?? [])?.description ?? "" }
        let rows = try await transaction.query(
            """
            UPDATE crates SET generation = generation + 1, newest = renewed.newest, updated_at = now(),
              index_checksum = sha256(convert_to(file.text, 'UTF8')), index_bytes = octet_length(file.text)
            FROM unnest(\(ids)::bigint[], \(newest)::text[]) AS renewed (id, newest) CROSS JOIN LATERAL (
              SELECT string_agg(line || E'\\n', '' ORDER BY id) AS text FROM versions WHERE crate_id = renewed.id
            ) AS file
            WHERE crates.id = renewed.id
            RETURNING crates.id, crates.generation, crates.index_checksum, crates.index_bytes
            """)
        var renewed: [Int64: Row] = [:]
        for row in rows { renewed[try row.value("id", as: Int64.self)] = row }
        let events = try crates.map { try event($0, renewed[$0.id], in: repository) }
        try await renewDependencies(events, crates, versions, transaction)
        return events.map { .index($0) }
    }

    private static func event(
        _ crate: CrateRows.Crate, _ row: Row?, in repository: RepositoryName
    ) throws -> RegistryEvent.IndexChange {
        guard let row, let name = try? CrateName(crate.name),
            let checksum = Checksum(bytes: try row.value("index_checksum", as: [UInt8].self))
        else { preconditionFailure("a locked crate with a version has a valid name and an index file") }
        return .init(
            repository: repository, crate: name, generation: try row.value("generation", as: UInt64.self),
            checksum: checksum, bytes: try row.value("index_bytes", as: Int.self))
    }

    private typealias Standing = (version: Version, yanked: Bool)

    private static func renewDependencies(
        _ events: [RegistryEvent.IndexChange], _ crates: [CrateRows.Crate], _ versions: [Int64: [Standing]],
        _ transaction: Transaction
    ) async throws {
        let chosen = crates.flatMap { crate in
            NextNames.versions(among: versions[crate.id] ?? []).map { (crate.id, $0.bare) }
        }
        // As in `NeedsStore.texts`: an import fills tables faster than PostgreSQL gathers statistics of them.
        let rows = try await transaction.query(NeedsStore.texts(chosen.map(\.0), chosen.map(\.1)))
        var lines: [Int64: [IndexLine]] = [:]
        for row in rows {
            // A line that no cargo can read leads a resolver nowhere.
            guard let line = try? IndexLine(parsing: row.value("line", as: String.self)) else { continue }
            lines[try row.value("crate_id", as: Int64.self), default: []].append(line)
        }
        try await DependencyRows.renew(
            zip(crates, events).map { crate, event in
                DependencyRows.Row(
                    crateID: crate.id, generation: event.generation, names: NextNames.names(in: lines[crate.id] ?? []))
            }, transaction)
    }

    private static func versions(of ids: [Int64], _ transaction: Transaction) async throws -> [Int64: [Standing]] {
        let rows = try await transaction.query(
            "SELECT crate_id, number, yanked FROM versions WHERE crate_id = ANY(\(ids)::bigint[])")
        var versions: [Int64: [Standing]] = [:]
        for row in rows {
            versions[try row.value("crate_id", as: Int64.self), default: []].append(
                (
                    version: try Version(row.value("number", as: String.self)),
                    yanked: try row.value("yanked", as: Bool.self)
                ))
        }
        return versions
    }
}

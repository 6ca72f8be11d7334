import Facts
package import Postgres
import Registry

/// In whose name versions are imported.
struct ImportOwner: Sendable {
    let userID: Int32
    let login: String
}

/// What a repository knows of one crate.
struct KnownCrate: Sendable {
    /// As its first publisher spelled it; nil if there is no such crate.
    let spelling: String?
    /// By number without build metadata: what is there.
    let present: [String: Checksum]
    /// The same of every version that ever was (I2).
    let remembered: [String: Checksum]

    enum Verdict: Equatable {
        case take
        /// With the same bytes.
        case present
        case refused(String)
    }

    /// - Parameter checksum: nil if only the bytes can tell; asked again then.
    func verdict(on name: CrateName, _ version: Version, _ checksum: Checksum?) -> Verdict {
        if let spelling, spelling != name.spelling {
            return .refused("the repository has this crate as `\(spelling)`, which is the same name")
        }
        guard let held = present[version.bare] ?? remembered[version.bare], let checksum else { return .take }
        guard held == checksum else {
            return .refused(
                "the repository has \(version) with other bytes (SHA-256 \(held), here \(checksum)); a version's content "
                    + "never changes, so find out which one is genuine")
        }
        return present[version.bare] == nil ? .take : .present
    }
}

/// Puts imported versions into their crates: one transaction for a batch, one event and one line of audit a crate.
package struct ImportStore: Sendable {
    let pool: PostgresPool
    let owners: OwnersStore
    let events: EventLog
    let audit: AuditStore
    let facts: FactsStore

    package init(pool: PostgresPool, owners: OwnersStore, events: EventLog, audit: AuditStore, facts: FactsStore) {
        self.pool = pool
        self.owners = owners
        self.events = events
        self.audit = audit
        self.facts = facts
    }

    struct Outcome: Sendable {
        /// Versions.
        var added = 0
        /// That got a version.
        var crates = 0
        /// Came in between, with the same bytes.
        var present = 0
        var refusals: [ImportRefusal] = []
    }

    /// - Returns: by identity; every name has its entry.
    func known(_ names: [CrateName], in repository: Repository) async throws -> [String: KnownCrate] {
        try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            try await ImportRows.prepare(transaction)
            return try await known(names, in: repository, transaction)
        }
    }

    /// All names in the repository, lower-case: what an import from a source that can't be listed asks for.
    func names(in repository: Repository) async throws -> [CrateName] {
        try await pool.query("SELECT name FROM crates WHERE repository_id = \(repository.id) ORDER BY id").map {
            try CrateName($0.value("name", as: String.self).lowercased())
        }
    }

    /// Adds the versions that are still missing, in their order.
    ///
    /// - Parameter crates: no two of one identity; their blobs are durable (I1).
    func add(_ crates: [ImportedCrate], to repository: Repository, owner: ImportOwner?) async throws -> Outcome {
        do {
            return try await pool.withTransaction { transaction in
                try await ImportRows.prepare(transaction)
                let rewrites = try await CratesIORule.hold(in: repository.id, transaction)
                let names = crates.map(\.name)
                let rows = try await ImportRows.lockOrCreate(names, in: repository.id, transaction)
                let known = try await known(names, in: repository, transaction)
                var outcome = Outcome()
                var chosen: [Chosen] = []
                var idle: [CrateRows.Crate] = []
                for crate in crates {
                    guard let row = rows[crate.name.identity], let known = known[crate.name.identity] else {
                        preconditionFailure("each crate has a row, once it is locked")
                    }
                    let missing = select(crate.versions, known, &outcome)
                    if missing.isEmpty { idle.append(row) } else { chosen.append(Chosen(row: row, versions: missing)) }
                }
                try await ImportRows.removeNew(idle, transaction)
                try await add(chosen, repository, owner, rewrites: rewrites, transaction)
                outcome.crates = chosen.count
                outcome.added = chosen.reduce(0) { $0 + $1.versions.count }
                return outcome
            }
        } catch let error as PostgresError where error.constraint == "crates_repository_id_fkey" {
            throw Refusal.noRepository(repository.name)
        }
    }

    /// Tells the planner how large the tables have become; the database would find out by itself a minute later.
    func analyze() async throws { try await ImportRows.analyze(pool) }

    /// What one crate gets.
    private struct Chosen {
        let row: CrateRows.Crate
        let versions: [CheckedVersion]

        var newest: Version? {
            NewestVersion.among(versions.map { (version: $0.facts.version, yanked: $0.line.isYanked) })
        }
    }

    private func select(
        _ versions: [CheckedVersion], _ known: KnownCrate, _ outcome: inout Outcome
    ) -> [CheckedVersion] {
        var taken: Set<String> = []
        return versions.filter { version in
            switch known.verdict(on: version.facts.name, version.facts.version, version.line.checksum) {
            case .take:
                // Without an index nothing else says that two files are one version.
                if taken.insert(version.facts.version.bare).inserted { return true }
                outcome.refusals.append(
                    ImportRefusal(
                        version.facts.name.spelling, "\(version.facts.version)",
                        "the source has this version more than once; only the first is taken"))
            case .present: outcome.present += 1
            case .refused(let cause):
                outcome.refusals.append(
                    ImportRefusal(version.facts.name.spelling, "\(version.facts.version)", cause))
            }
            return false
        }
    }

    private func add(
        _ chosen: [Chosen], _ repository: Repository, _ owner: ImportOwner?, rewrites: Bool, _ transaction: Transaction
    ) async throws {
        guard !chosen.isEmpty else { return }
        try await ImportRows.giveWay(
            chosen.compactMap { crate in crate.versions.first.map { (crate.row.id, $0.facts.name) } }, transaction)
        let versions = chosen.flatMap { crate in crate.versions.map { (crateID: crate.row.id, version: $0) } }
        let ids = try await ImportRows.insert(
            versions, of: repository.name, by: owner?.userID, rewrites: rewrites, transaction)
        let changes = try await ImportRows.renewIndexFiles(of: chosen.map(\.row), in: repository.name, transaction)
        for crate in chosen { try await finish(crate, repository, owner, transaction) }
        let new = zip(ids, versions).map { NewFacts($0, $1.version, .imported) }
        let verdicts = try await facts.record(new, cause: .imported, in: transaction)
        for crate in chosen { try await note(crate, repository, owner, transaction) }
        try await audit.record(verdicts.entries, in: transaction)
        _ = try await events.append(changes + verdicts.events, in: transaction)
    }

    private func finish(
        _ crate: Chosen, _ repository: Repository, _ owner: ImportOwner?, _ transaction: Transaction
    ) async throws {
        if let owner { try await owners.makeOwner(owner.userID, of: crate.row.id, transaction) }
        if let newest = crate.newest,
            let version = crate.versions.first(where: { $0.facts.version == newest })
        {
            try await VersionRows.describe(version, crate.row, transaction)
        }
    }

    private func note(
        _ crate: Chosen, _ repository: Repository, _ owner: ImportOwner?, _ transaction: Transaction
    ) async throws {
        let newest = crate.newest
        let bytes = crate.versions.reduce(0) { $0 + $1.bytes }
        try await audit.record(
            AuditEntry(
                actor: Actor.commandLine.name, action: "import", repository: repository.name,
                crate: crate.versions.first?.facts.name, version: newest?.description,
                detail: ["versions": "\(crate.versions.count)", "bytes": "\(bytes)"].merging(
                    owner.map { ["owner": $0.login] } ?? [:]
                ) { $1 }), in: transaction)
    }

    private func known(
        _ names: [CrateName], in repository: Repository, _ transaction: Transaction
    ) async throws -> [String: KnownCrate] {
        let identities = names.map(\.identity)
        let crates = try await transaction.query(
            """
            SELECT id, identity, name, generation FROM crates
            WHERE repository_id = \(repository.id) AND identity = ANY(\(identities)::text[])
            """)
        let ids = try crates.map { try $0.value("id", as: Int64.self) }
        let present = try await transaction.query(
            """
            SELECT crates.identity, bare_number, checksum FROM versions JOIN crates ON crates.id = versions.crate_id
            WHERE versions.crate_id = ANY(\(ids)::bigint[]) AND upstream_id IS NULL
            """)
        let remembered = try await transaction.query(
            """
            SELECT identity, bare_number, checksum FROM checksums
            WHERE repository = \(repository.name.description) AND identity = ANY(\(identities)::text[])
            """)
        // Generation 0: the row was made a moment ago, by this very transaction.
        var spellings: [String: String] = [:]
        for row in crates where try row.value("generation", as: UInt64.self) > 0 {
            spellings[try row.value("identity", as: String.self)] = try row.value("name", as: String.self)
        }
        let (held, ever) = (try Self.checksums(present), try Self.checksums(remembered))
        return Dictionary(
            identities.map {
                ($0, KnownCrate(spelling: spellings[$0], present: held[$0] ?? [:], remembered: ever[$0] ?? [:]))
            }, uniquingKeysWith: { first, _ in first })
    }

    private static func checksums(_ rows: [Row]) throws -> [String: [String: Checksum]] {
        var checksums: [String: [String: Checksum]] = [:]
        for row in rows {
            checksums[try row.value("identity", as: String.self), default: [:]][
                try row.value("bare_number", as: String.self)] = Checksum(
                    bytes: try row.value("checksum", as: [UInt8].self))
        }
        return checksums
    }
}

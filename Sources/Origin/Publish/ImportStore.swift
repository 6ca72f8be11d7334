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

/// Puts imported versions into their crate: one transaction, one event and one line of audit for all of them.
package struct ImportStore: Sendable {
    let pool: PostgresPool
    let owners: OwnersStore
    let events: EventLog
    let audit: AuditStore

    package init(pool: PostgresPool, owners: OwnersStore, events: EventLog, audit: AuditStore) {
        self.pool = pool
        self.owners = owners
        self.events = events
        self.audit = audit
    }

    struct Outcome: Sendable {
        var added = 0
        /// Came in between, with the same bytes.
        var present = 0
        var refusals: [ImportRefusal] = []
    }

    /// Rolls back the row of a crate that got no version.
    private struct NothingToAdd: Error { let outcome: Outcome }

    func known(_ name: CrateName, in repository: Repository) async throws -> KnownCrate {
        try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            try await known(name, in: repository, transaction)
        }
    }

    /// All names in the repository, lower-case: what an import from a source that can't be listed asks for.
    func names(in repository: Repository) async throws -> [CrateName] {
        try await pool.query("SELECT name FROM crates WHERE repository_id = \(repository.id) ORDER BY id").map {
            try CrateName($0.value("name", as: String.self).lowercased())
        }
    }

    /// Adds the versions that are still missing, in their order.
    func add(
        _ versions: [CheckedVersion], of name: CrateName, to repository: Repository, owner: ImportOwner?
    ) async throws -> Outcome {
        do {
            return try await pool.withTransaction { transaction in
                let crate = try await CrateRows.lockForOwn(name, in: repository.id, transaction)
                let known = try await known(name, in: repository, transaction)
                var outcome = Outcome()
                let missing = select(versions, known, &outcome)
                guard !missing.isEmpty else { throw NothingToAdd(outcome: outcome) }
                for version in missing {
                    try await VersionRows.insert(
                        version, into: crate, of: repository.name, by: owner?.userID, transaction)
                }
                if let owner { try await owners.makeOwner(owner.userID, of: crate.id, transaction) }
                try await finish(missing, crate, repository, owner, transaction)
                outcome.added = missing.count
                return outcome
            }
        } catch let nothing as NothingToAdd {
            return nothing.outcome
        } catch let error as PostgresError where error.constraint == "crates_repository_id_fkey" {
            throw Refusal.noRepository(repository.name)
        }
    }

    private func select(
        _ versions: [CheckedVersion], _ known: KnownCrate, _ outcome: inout Outcome
    ) -> [CheckedVersion] {
        versions.filter { version in
            switch known.verdict(on: version.facts.name, version.facts.version, version.line.checksum) {
            case .take: return true
            case .present: outcome.present += 1
            case .refused(let cause):
                outcome.refusals.append(
                    ImportRefusal(version.facts.name.spelling, "\(version.facts.version)", cause))
            }
            return false
        }
    }

    private func finish(
        _ versions: [CheckedVersion], _ crate: CrateRows.Crate, _ repository: Repository, _ owner: ImportOwner?,
        _ transaction: Transaction
    ) async throws {
        let change = try await CrateRows.renewIndexFile(of: crate, in: repository.name, transaction)
        let newest = NewestVersion.among(
            versions.map { (version: $0.facts.version, yanked: $0.line.isYanked) })
        if let newest, let version = versions.first(where: { $0.facts.version == newest }) {
            try await VersionRows.describe(version, crate, transaction)
        }
        let bytes = versions.reduce(0) { $0 + $1.bytes }
        try await audit.record(
            AuditEntry(
                actor: Actor.commandLine.name, action: "import", repository: repository.name,
                crate: versions.first?.facts.name, version: newest?.description,
                detail: ["versions": "\(versions.count)", "bytes": "\(bytes)"].merging(
                    owner.map { ["owner": $0.login] } ?? [:]
                ) { $1 }), in: transaction)
        _ = try await events.append([change], in: transaction)
    }

    private func known(
        _ name: CrateName, in repository: Repository, _ transaction: Transaction
    ) async throws -> KnownCrate {
        let crates = try await transaction.query(
            """
            SELECT id, name, generation FROM crates
            WHERE repository_id = \(repository.id) AND identity = \(name.identity)
            """)
        let present = try await transaction.query(
            """
            SELECT bare_number, checksum FROM versions
            WHERE crate_id = \(crates.first?.value("id", as: Int64.self) ?? 0)
            """)
        let remembered = try await transaction.query(
            """
            SELECT bare_number, checksum FROM checksums
            WHERE repository = \(repository.name.description) AND identity = \(name.identity)
            """)
        // Generation 0: the row was made a moment ago, by this very transaction.
        let spelling = try crates.first.flatMap { row in
            try row.value("generation", as: UInt64.self) == 0 ? nil : row.value("name", as: String.self)
        }
        return KnownCrate(
            spelling: spelling, present: try Self.checksums(present), remembered: try Self.checksums(remembered))
    }

    private static func checksums(_ rows: [Row]) throws -> [String: Checksum] {
        var checksums: [String: Checksum] = [:]
        for row in rows {
            checksums[try row.value("bare_number", as: String.self)] = Checksum(
                bytes: try row.value("checksum", as: [UInt8].self))
        }
        return checksums
    }
}

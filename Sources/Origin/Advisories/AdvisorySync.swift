package import Facts
package import Postgres
import Registry

/// Takes over an advisory database, and has every version judged again that it touches.
///
/// Two steps, so that publishes never wait for the second. First the advisories change, in one short transaction that
/// no publish overlaps (`AdvisoryStore.lock`): from then on new versions are matched with the new ones. Then the versions
/// that were there are matched, crate by crate, some hundred crates a transaction with their verdicts and events. What is
/// left when the origin dies in the middle is marked (`is_matched`) and done by the next sync.
package struct AdvisorySync: Sendable {
    /// Crates of one transaction.
    private static let cratesAtOnce = 200
    /// Held alone by each such transaction: the advisories that it has read are the newest when it commits.
    private static let rematchLock: Int64 = 0x6c73_6861_6476_0002

    let pool: PostgresPool
    let facts: FactsStore
    let events: EventLog
    let audit: AuditStore

    package init(pool: PostgresPool, facts: FactsStore, events: EventLog, audit: AuditStore) {
        self.pool = pool
        self.facts = facts
        self.events = events
        self.audit = audit
    }

    /// What a sync did.
    package struct Outcome: Hashable, Sendable, Encodable {
        package var added = 0
        package var changed = 0
        package var removed = 0
        package var unchanged = 0
        /// Versions whose facts are different now.
        package var versions = 0
        /// The feed position of the last event; nil if nothing had to be told.
        package var position: UInt64?
    }

    /// - Parameters:
    ///   - name: advisories that an earlier sync of the same name brought and this one does not are removed.
    ///   - mayShrink: true allows a database that has lost more than a tenth of its advisories.
    /// - Throws: `Refusal` for a database that is empty or has shrunk so much that it must be the wrong one.
    package func sync(
        _ database: AdvisoryDatabase, name: String = "rustsec", mayShrink: Bool = false, by actor: Actor
    ) async throws -> Outcome {
        guard !database.advisories.isEmpty else {
            throw Refusal.badRequest(
                "no advisories were found there: name the folder, archive or URL of an advisory database")
        }
        var outcome = try await pool.withTransaction { transaction in
            try await takeOver(database, name, mayShrink, actor, transaction)
        }
        try await rematch(&outcome)
        return outcome
    }

    private func takeOver(
        _ database: AdvisoryDatabase, _ name: String, _ mayShrink: Bool, _ actor: Actor, _ transaction: Transaction
    ) async throws -> Outcome {
        _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(AdvisoryStore.lock))")
        let rows = try await transaction.query("SELECT data, database, is_removed FROM advisories")
        var known: [String: Advisory] = [:]
        var leaving: Set<String> = []
        for row in rows where try !row.value("is_removed", as: Bool.self) {
            let advisory = try AdvisoryStore.advisory(row)
            known[advisory.id] = advisory
            if try row.value("database", as: String.self) == name { leaving.insert(advisory.id) }
        }
        let ownCount = leaving.count
        leaving.subtract(database.advisories.keys)
        // Files that could not be read this time keep what they said before.
        if database.problemCount > 0 { leaving = [] }
        guard mayShrink || leaving.count * 10 <= ownCount else { throw Self.shrunk(leaving.count, of: ownCount) }

        let different = database.advisories.values.filter { known[$0.id] != $0 }.sorted { $0.id < $1.id }
        var outcome = Outcome()
        outcome.added = different.count { known[$0.id] == nil }
        outcome.changed = different.count - outcome.added
        outcome.removed = leaving.count
        outcome.unchanged = database.advisories.count - different.count
        try await write(different, name, transaction)
        _ = try await transaction.execute(
            """
            UPDATE advisories SET is_removed = true, is_matched = false, revision = revision + 1, changed_at = now()
            WHERE id = ANY(\(leaving.sorted())::text[])
            """)
        if !different.isEmpty || !leaving.isEmpty {
            try await audit.record(Self.entry(outcome, name, actor), in: transaction)
        }
        return outcome
    }

    private func write(_ advisories: [Advisory], _ name: String, _ transaction: Transaction) async throws {
        guard !advisories.isEmpty else { return }
        _ = try await transaction.execute(
            Self.upsert.bind(
                advisories.map(\.id), advisories.map(\.identity), advisories.map(\.kind.rawValue),
                advisories.map { $0.score?.tenths }, advisories.map { $0.withdrawn == nil ? "f" : "t" },
                try advisories.map(AdvisoryStore.json), name))
    }

    private static func entry(_ outcome: Outcome, _ name: String, _ actor: Actor) -> AuditEntry {
        AuditEntry(
            actor: actor.name, tokenID: actor.tokenID, action: "advisories.sync",
            detail: [
                "database": name, "added": "\(outcome.added)", "changed": "\(outcome.changed)",
                "removed": "\(outcome.removed)",
            ])
    }

    private static func shrunk(_ missing: Int, of count: Int) -> Refusal {
        .badRequest(
            "\(missing) of \(count) advisories are not there any more; if that is right, say --may-shrink, "
                + "else look whether the source is whole")
    }

    /// $1 ids, $2 identities, $3 kinds, $4 scores, $5 withdrawn, $6 data: one place in each list an advisory; $7 the name.
    private static let upsert: Query = """
        INSERT INTO advisories (id, identity, kind, score, withdrawn, data, database, is_matched)
        SELECT a.id, a.identity, a.kind, a.score, a.withdrawn, a.data, $7, false
        FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::boolean[], $6::text[])
          AS a (id, identity, kind, score, withdrawn, data)
        ON CONFLICT (id) DO UPDATE SET identity = EXCLUDED.identity, kind = EXCLUDED.kind, score = EXCLUDED.score,
          withdrawn = EXCLUDED.withdrawn, data = EXCLUDED.data, database = EXCLUDED.database, is_removed = false,
          is_matched = false, revision = advisories.revision + 1, changed_at = now()
        """
}

extension AdvisorySync {
    /// Does what is marked as not done, until nothing is.
    private func rematch(_ outcome: inout Outcome) async throws {
        while true {
            let step = try await pool.withTransaction { transaction in try await rematchSome(transaction) }
            outcome.versions += step.versions
            outcome.position = step.position ?? outcome.position
            if step.isLast { return }
        }
    }

    private struct Step {
        var versions = 0
        var position: UInt64?
        var isLast = false
    }

    private struct Pending {
        let advisory: Advisory
        let revision: Int64
        let isRemoved: Bool
    }

    private func rematchSome(_ transaction: Transaction) async throws -> Step {
        _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(Self.rematchLock))")
        // An advisory that speaks of no crate has the identity '' here.
        let identities = try await transaction.query(
            """
            SELECT DISTINCT coalesce(identity, '') AS identity FROM advisories WHERE NOT is_matched
            ORDER BY 1 LIMIT \(Self.cratesAtOnce)
            """
        ).map { try $0.value("identity", as: String.self) }
        guard !identities.isEmpty else { return Step(isLast: true) }
        let pending = try await transaction.query(
            """
            SELECT data, revision, is_removed FROM advisories
            WHERE NOT is_matched AND coalesce(identity, '') = ANY(\(identities)::text[])
            """
        ).map {
            Pending(
                advisory: try AdvisoryStore.advisory($0), revision: try $0.value("revision"),
                isRemoved: try $0.value("is_removed"))
        }
        let rematch = AdvisoryRematch(
            pending.filter { !$0.isRemoved }.map(\.advisory), versions: try await versions(of: identities, transaction),
            existing: try await existing(pending.map(\.advisory.id), transaction))
        return try await apply(rematch, pending, transaction)
    }

    private func apply(
        _ rematch: AdvisoryRematch, _ pending: [Pending], _ transaction: Transaction
    ) async throws -> Step {
        if !rematch.gone.isEmpty {
            _ = try await transaction.execute(
                """
                DELETE FROM advisory_matches USING unnest(\(rematch.gone.map(\.versionID))::bigint[],
                  \(rematch.gone.map(\.advisoryID))::text[]) AS gone (version_id, advisory_id)
                WHERE advisory_matches.version_id = gone.version_id AND advisory_matches.advisory_id = gone.advisory_id
                """)
        }
        try await facts.advisories.insert(rematch.added, in: transaction)
        // One that changed once more since it was read here stays marked.
        _ = try await transaction.execute(
            """
            UPDATE advisories SET is_matched = true
            FROM unnest(\(pending.map(\.advisory.id))::text[], \(pending.map(\.revision))::bigint[]) AS done (id, revision)
            WHERE advisories.id = done.id AND advisories.revision = done.revision
            """)
        if pending.contains(where: \.isRemoved) {
            _ = try await transaction.execute("DELETE FROM advisories WHERE is_removed AND is_matched")
        }
        let told = try await facts.changed(rematch.versionIDs, cause: .advisories, in: transaction)
        try await audit.record(told.entries, in: transaction)
        let position = told.events.isEmpty ? nil : try await events.append(told.events, in: transaction)
        return Step(versions: rematch.versionIDs.count, position: position)
    }

    private func versions(of identities: [String], _ transaction: Transaction) async throws -> [AdvisedVersion] {
        try await transaction.query(Self.versions(of: identities)).map {
            AdvisedVersion(
                id: try $0.value("id"), identity: try $0.value("identity"),
                version: try Version($0.value("number", as: String.self)))
        }
    }

    private func existing(_ advisories: [String], _ transaction: Transaction) async throws -> Set<AdvisoryHit> {
        Set(try await transaction.query(Self.existing(advisories)).map(AdvisoryStore.hit))
    }

    static func versions(of identities: [String]) -> Query {
        """
        SELECT v.id, c.identity, v.number FROM crates c JOIN versions v ON v.crate_id = c.id
        WHERE c.identity = ANY(\(identities)::text[])
        """
    }

    static func existing(_ advisories: [String]) -> Query {
        "SELECT version_id, advisory_id FROM advisory_matches WHERE advisory_id = ANY(\(advisories)::text[])"
    }
}

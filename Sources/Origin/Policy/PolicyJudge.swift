import Facts
package import Postgres
import PolicyRules
import Registry

/// Judges versions by the rules of their repositories, in the transaction that changes their facts.
///
/// A shared lock is held until that transaction commits, and rules are set under the same lock alone (`PolicyStore.set`): so
/// each version is judged by the rules that hold when it is committed, or is there for the judging anew that follows new rules.
package struct PolicyJudge: FactsListener {
    static let lock: Int64 = 0x6c73_6870_6f6c_0001

    let facts: FactsStore
    let books = PolicyBooks()

    /// - Parameter pool: facts are read through it, but in the transactions of others only.
    package init(pool: PostgresPool) { facts = FactsStore(pool: pool) }

    package func factsChanged(_ change: FactsChanged, in transaction: Transaction) async throws -> Verdicts {
        try await judge(change.versionIDs, in: transaction)
    }

    /// A version of a repository that has rules, or had some.
    private struct Subject {
        let id: Int64
        let policyID: Int64
        let place: DecisionRows.Place
    }

    func judge(_ ids: [Int64], in transaction: Transaction) async throws -> Verdicts {
        _ = try await transaction.query("SELECT pg_advisory_xact_lock_shared(\(Self.lock))")
        let (subjects, now) = try await subjects(ids, transaction)
        guard !subjects.isEmpty else { return .none }
        _ = try await transaction.query(
            """
            SELECT FROM crates WHERE id = ANY(\(Set(subjects.map(\.place.crateID)).sorted())::bigint[]) ORDER BY id FOR UPDATE
            """)
        var verdicts = Verdicts.none
        for (policyID, subjects) in Dictionary(grouping: subjects, by: \.policyID).sorted(by: { $0.key < $1.key }) {
            let rules = try await books.rules(policyID, in: transaction)
            var rest = subjects[...]
            while !rest.isEmpty {
                let batch = rest.prefix(FactsStore.versionsMax)
                rest = rest.dropFirst(batch.count)
                verdicts += try await judge(Array(batch), by: rules, at: now, transaction)
            }
        }
        return verdicts
    }

    private func judge(
        _ subjects: [Subject], by rules: StoredRules?, at now: Int, _ transaction: Transaction
    ) async throws -> Verdicts {
        let places = Dictionary(subjects.map { ($0.id, $0.place) }, uniquingKeysWith: { first, _ in first })
        guard let rules else { return try await DecisionRows.apply([:], to: places, transaction) }
        let verdicts = try await judged(subjects.map(\.id), by: rules, at: now, transaction)
        return try await DecisionRows.apply(verdicts.mapValues(\.verdict), to: places, transaction)
    }

    /// A version's facts, and what the rules say of it.
    struct Judged: Sendable {
        let facts: VersionFacts
        let judgement: Judgement
        let verdict: PolicyVerdict
    }

    /// What rules say of versions; nothing is changed.
    ///
    /// - Parameters:
    ///   - ids: of one repository, at most `FactsStore.versionsMax`.
    ///   - now: seconds since 1970.
    func judged(
        _ ids: [Int64], by rules: StoredRules, at now: Int, _ transaction: Transaction
    ) async throws -> [Int64: Judged] {
        let known = try await facts.facts(of: ids, in: transaction).sorted { $0.key < $1.key }
        let releases = try await releases(of: ids, transaction)
        let judgements = try await rules.engine.judge(known.map(\.value), releases: releases, at: now)
        // A version without a judgement would pass as allowed.
        guard judgements.count == known.count else {
            throw EngineFault(asked: known.count, answered: judgements.count)
        }
        var judged: [Int64: Judged] = [:]
        for ((id, facts), judgement) in zip(known, judgements) {
            judged[id] = Judged(
                facts: facts, judgement: judgement,
                verdict: PolicyVerdict(judgement, on: facts, ask: rules.ask))
        }
        return judged
    }

    private func subjects(
        _ ids: [Int64], _ transaction: Transaction
    ) async throws -> (subjects: [Subject], now: Int) {
        let rows = try await transaction.query(
            """
            SELECT v.id, v.number, c.id AS crate_id, c.name, r.name AS repository, p.id AS policy_id,
              extract(epoch FROM now())::bigint AS now
            FROM versions v JOIN crates c ON c.id = v.crate_id JOIN repositories r ON r.id = c.repository_id
            CROSS JOIN LATERAL (
              SELECT id FROM policies WHERE repository_id = r.id ORDER BY number DESC LIMIT 1
            ) AS p
            WHERE v.id = ANY(\(ids)::bigint[]) ORDER BY v.id
            """)
        let subjects = try rows.map { row in
            Subject(
                id: try row.value("id"), policyID: try row.value("policy_id"),
                place: DecisionRows.Place(
                    repository: try RepositoryName(row.value("repository", as: String.self)),
                    crateID: try row.value("crate_id"), crate: try CrateName(row.value("name", as: String.self)),
                    version: try row.value("number")))
        }
        return (subjects, try rows.first?.value("now", as: Int.self) ?? 0)
    }

    private func releases(of ids: [Int64], _ transaction: Transaction) async throws -> [PolicyRelease] {
        try await transaction.query(
            """
            SELECT releases.identity, releases.bare_number, rule FROM releases
            JOIN crates USING (repository_id, identity)
            JOIN versions ON versions.crate_id = crates.id AND versions.bare_number = releases.bare_number
            WHERE versions.id = ANY(\(ids)::bigint[])
            """
        ).map { row in
            PolicyRelease(
                identity: try row.value("identity"), version: try row.value("bare_number"),
                rule: try row.value("rule"))
        }
    }
}

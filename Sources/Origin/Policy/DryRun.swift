package import CrateFile
import Facts
import Postgres
package import PolicyRules
package import Registry

/// What other rules would change; nothing is changed.
package struct DryRun: Sendable {
    /// Changes that are told one by one.
    package static let changesMax = 1_000

    /// A version that would be decided otherwise.
    package struct Change: Sendable, Hashable, Encodable {
        package let crate: String
        package let version: String
        package let was: Decision
        package let becomes: Decision
        /// The rule that would decide.
        package let rule: String?
        package let because: String?
        /// Only its file will tell: nothing is refused until that is fetched.
        package let awaitsFile: Bool

        private enum CodingKeys: String, CodingKey {
            case crate, version, was, becomes, rule, because
            case awaitsFile = "awaits_file"
        }
    }

    /// A locked version that could not be downloaded any more.
    package struct Stop: Sendable, Hashable, Encodable {
        /// What the command calls the lock file, or the name that it is stored under.
        package let lock: String
        package let isStored: Bool
        package let crate: String
        package let version: String
        package let refusal: String
        /// The present rules refuse it, too.
        package let isRefusedNow: Bool

        private enum CodingKeys: String, CodingKey {
            case lock, crate, version, refusal
            case isStored = "stored"
            case isRefusedNow = "refused_now"
        }
    }

    package private(set) var versions = 0
    package private(set) var changes: [Change] = []
    /// All of them, by `was → becomes`.
    package private(set) var counts: [String: Int] = [:]
    /// Of these changes, those that are made only if the version's file, once fetched, does not speak for it.
    package private(set) var awaiting = 0
    package private(set) var stops: [Stop] = []

    private let locks: [Locked: [String]]

    private struct Locked: Hashable {
        let identity: String
        let version: String
    }

    /// - Parameter locks: by what they are called.
    package init(locks: [String: CargoLock] = [:]) {
        var holders: [Locked: Set<String>] = [:]
        for (name, lock) in locks {
            for package in lock.packages where package.isFromRegistry {
                holders[Locked(identity: package.name.identity, version: package.version.bare), default: []].insert(
                    name)
            }
        }
        self.locks = holders.mapValues { $0.sorted() }
    }

    /// - Parameter stored: names of stored lock files that hold the version.
    mutating func add(_ judged: PolicyJudge.Judged, before: PolicyVerdict, stored: [String] = []) {
        versions += 1
        let (facts, after) = (judged.facts, judged.verdict)
        if before.decision != after.decision || before.rule != after.rule {
            if after.awaitsFile { awaiting += 1 }
            counts["\(before.decision.rawValue) → \(after.decision.rawValue)", default: 0] += 1
            if changes.count < Self.changesMax {
                let reason = after.grounds.reasons.last
                changes.append(
                    Change(
                        crate: facts.name, version: facts.version, was: before.decision, becomes: after.decision,
                        rule: after.rule ?? reason?.rule,
                        because: reason.map { $0.because.isEmpty ? $0.reason : $0.because },
                        awaitsFile: after.awaitsFile))
            }
        }
        guard let refusal = after.refusal, let version = try? Version(facts.version) else { return }
        let given = locks[Locked(identity: facts.identity, version: version.bare)] ?? []
        for (lock, isStored) in given.map({ ($0, false) }) + stored.map({ ($0, true) }) {
            stops.append(
                Stop(
                    lock: lock, isStored: isStored, crate: facts.name, version: facts.version, refusal: refusal,
                    isRefusedNow: before.refusal != nil))
        }
    }
}

extension PolicyStore {
    private static let dryCratesAtOnce = 200

    /// Judges all versions of a repository by rules that it does not have.
    ///
    /// - Parameters:
    ///   - stored: the lock files that the repository keeps; nil: they are not asked.
    ///   - progress: told how many versions were judged so far.
    package func dryRun(
        _ file: PolicyFile, in repository: Repository, locks: [String: CargoLock], stored: LockFileStore? = nil,
        progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> DryRun {
        let rules = StoredRules(file)
        var run = DryRun(locks: locks)
        var last: Int64? = 0
        while let after = last {
            try Task.checkCancellation()
            last = try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
                try await dryStep(rules, in: repository, after: after, stored, &run, transaction)
            }
            progress(run.versions)
        }
        return run
    }

    /// - Returns: the last crate's id; nil behind the last one.
    private func dryStep(
        _ rules: StoredRules, in repository: Repository, after: Int64, _ stored: LockFileStore?, _ run: inout DryRun,
        _ transaction: Transaction
    ) async throws -> Int64? {
        let rows = try await transaction.query(
            """
            SELECT versions.id, crate_id, extract(epoch FROM now())::bigint AS now FROM versions
            WHERE crate_id IN (SELECT id FROM crates WHERE repository_id = \(repository.id) AND id > \(after)
              ORDER BY id LIMIT \(Self.dryCratesAtOnce)) ORDER BY crate_id, versions.id
            """)
        let ids = try rows.map { try $0.value("id", as: Int64.self) }
        var rest = ids[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(FactsStore.versionsMax))
            rest = rest.dropFirst(batch.count)
            let now = try rows.first?.value("now", as: Int.self) ?? 0
            let judged = try await judge.judged(batch, by: rules, at: now, transaction)
            let before = try await DecisionRows.read(batch, transaction)
            let refused = batch.filter { judged[$0]?.verdict.refusal != nil }
            let holders = try await stored?.holders(of: refused, in: transaction) ?? [:]
            for id in batch {
                guard let one = judged[id] else { continue }
                run.add(one, before: before[id] ?? .allowed, stored: holders[id] ?? [])
            }
        }
        return try rows.last?.value("crate_id", as: Int64.self)
    }
}

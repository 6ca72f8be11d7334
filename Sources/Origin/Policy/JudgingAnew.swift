import Postgres
package import Registry

/// Judges what is there: after new rules, and when the clock alone has changed something.
extension PolicyStore {
    private static let cratesAtOnce = 100
    private static let dueAtOnce = 500
    /// Held by the one replica that looks for what is due.
    private static let dueLock: Int64 = 0x6c73_6870_6f6c_0002

    /// What one step did.
    package struct Step: Sendable, Hashable {
        package var versions = 0
        /// Versions whose decision is another one now.
        package var changed = 0
        /// Nothing is left to do.
        package var isLast = false
    }

    /// The next crates of a repository whose newest rules have not seen all versions yet; no two do the same ones at once.
    ///
    /// - Parameter repository: nil: whichever.
    package func judgeAnew(in repository: Repository? = nil) async throws -> Step {
        try await pool.withTransaction { transaction in
            let rows = try await transaction.query(
                """
                SELECT id, repository_id, judged_up_to FROM policies
                WHERE judged_up_to IS NOT NULL AND repository_id = coalesce(\(repository?.id), repository_id)
                  AND NOT EXISTS (SELECT FROM policies AS newer WHERE newer.repository_id = policies.repository_id
                    AND newer.number > policies.number)
                ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
                """)
            guard let row = rows.first else { return Step(isLast: true) }
            let policyID = try row.value("id", as: Int64.self)
            let crates = try await transaction.query(
                """
                SELECT id FROM crates WHERE repository_id = \(try row.value("repository_id", as: Int64.self))
                  AND id > \(try row.value("judged_up_to", as: Int64.self)) ORDER BY id LIMIT \(Self.cratesAtOnce) FOR UPDATE
                """
            ).map { try $0.value("id", as: Int64.self) }
            let versions = try await transaction.query(
                "SELECT id FROM versions WHERE crate_id = ANY(\(crates)::bigint[])"
            ).map { try $0.value("id", as: Int64.self) }
            let verdicts = try await judge.judge(versions, in: transaction)
            _ = try await transaction.execute(
                "UPDATE policies SET judged_up_to = \(crates.last) WHERE id = \(policyID)")
            try await tell(verdicts, transaction)
            return Step(versions: versions.count, changed: verdicts.entries.count)
        }
    }

    /// Decides again where the time for it has come.
    func judgeDue() async throws -> Step {
        try await pool.withTransaction { transaction in
            let alone = try await transaction.query("SELECT pg_try_advisory_xact_lock(\(Self.dueLock)) AS is_alone")
            guard try alone.first?.value("is_alone", as: Bool.self) == true else { return Step(isLast: true) }
            let rows = try await transaction.query(
                """
                SELECT version_id, crate_id FROM decisions JOIN versions ON versions.id = version_id
                WHERE again_at <= now() ORDER BY again_at LIMIT \(Self.dueAtOnce)
                """)
            guard !rows.isEmpty else { return Step(isLast: true) }
            let versions = try rows.map { try $0.value("version_id", as: Int64.self) }
            let crates = Set(try rows.map { try $0.value("crate_id", as: Int64.self) }).sorted()
            _ = try await transaction.query(
                "SELECT FROM crates WHERE id = ANY(\(crates)::bigint[]) ORDER BY id FOR UPDATE")
            let verdicts = try await judge.judge(versions, in: transaction)
            try await tell(verdicts, transaction)
            return Step(
                versions: versions.count, changed: verdicts.entries.count, isLast: rows.count < Self.dueAtOnce)
        }
    }

    private func tell(_ verdicts: Verdicts, _ transaction: Transaction) async throws {
        try await audit.record(verdicts.entries, in: transaction)
        if !verdicts.events.isEmpty { _ = try await events.append(verdicts.events, in: transaction) }
    }
}

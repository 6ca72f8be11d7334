import HTTPTypes
package import Postgres
import PolicyRules
package import Registry

/// Which rules repositories have, who set them, and what was let go. Owns the tables of this folder.
package struct PolicyStore: Sendable {
    /// Rules are written by people; the file is kept as it is.
    package static let bytesMax = 4 << 20
    /// Of the reason for a release.
    package static let reasonBytesMax = 500

    let pool: PostgresPool
    let events: EventLog
    let audit: AuditStore
    let judge: PolicyJudge

    package init(pool: PostgresPool, events: EventLog, audit: AuditStore, judge: PolicyJudge) {
        self.pool = pool
        self.events = events
        self.audit = audit
        self.judge = judge
    }

    /// Rules that a repository has or had.
    package struct Stored: Sendable, Hashable, Encodable {
        /// Counts the changes, from 1.
        package let number: Int
        /// False: the rules were taken away.
        package let hasRules: Bool
        package let setBy: String
        /// UTC, `2026-08-21T07:05:09Z`.
        package let setAt: String
        /// False while versions are judged by them for the first time.
        package let isApplied: Bool

        private enum CodingKeys: String, CodingKey {
            case number
            case hasRules = "has_rules"
            case setBy = "set_by"
            case setAt = "set_at"
            case isApplied = "applied"
        }
    }

    /// The newest first, at most `limit`; without their texts, which may be long.
    package func history(of repository: Repository, limit: Int = 1_000) async throws -> [Stored] {
        try await pool.query(
            """
            SELECT number, text IS NOT NULL AS has_rules, set_by, judged_up_to,
              to_char(set_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS set_at
            FROM policies WHERE repository_id = \(repository.id) ORDER BY number DESC LIMIT \(limit)
            """
        ).map { row in
            Stored(
                number: try row.value("number"), hasRules: try row.value("has_rules"),
                setBy: try row.value("set_by"), setAt: try row.value("set_at"),
                isApplied: try row.value("judged_up_to", as: Int64?.self) == nil)
        }
    }

    /// - Parameter number: nil: the newest.
    /// - Returns: the rules as they were set; nil if there are none, or they were taken away.
    package func text(of repository: Repository, number: Int?) async throws -> String? {
        try await pool.query(
            """
            SELECT text FROM policies
            WHERE repository_id = \(repository.id) AND number = coalesce(\(number), number)
            ORDER BY number DESC LIMIT 1
            """
        ).first?.value("text", as: String?.self)
    }

    /// Gives the repository these rules in place of those that it has: new versions are judged by them from now on, those that
    /// are there by `judgeAnew` and by every replica, whoever is faster.
    ///
    /// - Parameter text: a policy file that was read once; nil takes the rules away.
    /// - Returns: the number of the rules.
    package func set(_ text: String?, of repository: Repository, by actor: Actor) async throws -> Int {
        try await pool.withTransaction { transaction in
            // Alone: whoever judges by the old rules commits first.
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(\(PolicyJudge.lock))")
            let rows = try await transaction.query(
                """
                INSERT INTO policies (repository_id, number, text, set_by)
                SELECT \(repository.id), coalesce(max(number), 0) + 1, \(text), \(actor.name)
                FROM policies WHERE repository_id = \(repository.id) RETURNING number
                """)
            guard let row = rows.first else { preconditionFailure("an insert of one row returns it") }
            let number = try row.value("number", as: Int.self)
            try await audit.record(
                AuditEntry(
                    actor: actor.name, tokenID: actor.tokenID, action: text == nil ? "policy.remove" : "policy.set",
                    repository: repository.name,
                    detail: ["number": "\(number)"].merging(text.map { ["sha256": "\(Checksum(of: $0))"] } ?? [:]) {
                        $1
                    }),
                in: transaction)
            return number
        }
    }

    /// What of a version was asked for.
    package struct Subject: Sendable {
        package let name: CrateName
        package let version: Version

        package init(_ name: CrateName, _ version: Version) {
            self.name = name
            self.version = version
        }
    }

    /// Lets a quarantined version go: the rules that hold it back count no more for it, other rules do.
    ///
    /// - Returns: what is decided on it now, and the feed's position with that.
    /// - Throws: 404 for an unknown version, 409 if it is not quarantined.
    package func release(
        _ subject: Subject, in repository: Repository, reason: String, by actor: Actor
    ) async throws -> (standing: Standing, position: UInt64?) {
        try await pool.withTransaction { transaction in
            guard try await CrateRows.lock(subject.name, in: repository.id, transaction) != nil,
                let id = try await id(of: subject, in: repository, transaction)
            else { throw Refusal.noVersion(subject, in: repository.name) }
            _ = try await transaction.query("SELECT pg_advisory_xact_lock_shared(\(PolicyJudge.lock))")
            var rules: [String] = []
            while let judged = try await judged(id, in: repository, transaction),
                judged.judgement.decision == .quarantine, let rule = judged.judgement.decisive?.rule
            {
                rules.append(rule)
                _ = try await transaction.execute(
                    """
                    INSERT INTO releases (repository_id, identity, bare_number, rule, reason, released_by)
                    VALUES (\(repository.id), \(subject.name.identity), \(subject.version.bare), \(rule), \(reason), \
                    \(actor.name))
                    """)
            }
            let standing = try await standing(id, subject, in: repository, transaction)
            guard !rules.isEmpty else {
                let hint = standing.decision == .block ? "; write an exception into the rules, and set them" : ""
                throw Refusal(
                    .conflict,
                    "`\(subject.name.spelling)` \(subject.version) is not quarantined: "
                        + "\(standing.decision.rawValue)\(standing.rule.map { " by rule `\($0)`" } ?? "")\(hint)")
            }
            let verdicts = try await judge.judge([id], in: transaction)
            try await audit.record(
                AuditEntry(
                    actor: actor.name, tokenID: actor.tokenID, action: "policy.release", repository: repository.name,
                    crate: subject.name, version: subject.version.description, rule: rules.joined(separator: ","),
                    detail: ["reason": reason]), in: transaction)
            try await audit.record(verdicts.entries, in: transaction)
            let position =
                verdicts.events.isEmpty ? nil : try await events.append(verdicts.events, in: transaction)
            return (standing, position)
        }
    }

    func id(
        of subject: Subject, in repository: Repository, _ transaction: Transaction
    ) async throws -> Int64? {
        try await transaction.query(
            """
            SELECT v.id FROM versions v JOIN crates c ON c.id = v.crate_id
            WHERE c.repository_id = \(repository.id) AND c.identity = \(subject.name.identity)
              AND v.bare_number = \(subject.version.bare)
            """
        ).first?.value("id", as: Int64.self)
    }
}

extension Refusal {
    static func noVersion(_ subject: PolicyStore.Subject, in repository: RepositoryName) -> Refusal {
        .notFound("repository `\(repository)` has no `\(subject.name.spelling)` \(subject.version)")
    }
}

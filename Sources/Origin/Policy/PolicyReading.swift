import Crypto
package import Facts
import Postgres
package import PolicyRules
package import Registry

/// What the rules say, without changing anything.
extension PolicyStore {
    /// What is decided on one version.
    package struct Standing: Sendable, Hashable, Encodable {
        package let crate: String
        package let version: String
        package let decision: Decision
        /// The rule that decided; nil if none did.
        package let rule: String?
        package let reasons: [PolicyReason]
        /// Rules that would have held, but for an exception or a release.
        package let excepted: [String]
        /// What a download is refused with.
        package let refusal: String?
        /// Its file will tell; it is judged anew when that is fetched.
        package let awaitsFile: Bool
        /// Its upstream's yank is not followed yet.
        package let holdsYank: Bool
        /// When the clock alone may change it, UTC.
        package let againAt: String?

        private enum CodingKeys: String, CodingKey {
            case crate, version, decision, rule, reasons, excepted, refusal
            case awaitsFile = "awaits_file"
            case holdsYank = "holds_yank"
            case againAt = "again_at"
        }

        init(_ crate: String, _ version: String, _ verdict: PolicyVerdict) {
            self.crate = crate
            self.version = version
            decision = verdict.decision
            rule = verdict.rule
            reasons = verdict.grounds.reasons
            excepted = verdict.grounds.excepted
            refusal = verdict.refusal
            awaitsFile = verdict.awaitsFile
            holdsYank = verdict.holdsYank
            againAt = verdict.againAt.flatMap { Pubtime(secondsSince1970: Int64($0))?.description }
        }
    }

    /// What the rules see of a version and say of it now.
    package struct Explanation: Sendable, Encodable {
        package let facts: VersionFacts
        package let standing: Standing
        /// Of the rules; nil: the repository has none.
        package let number: Int?
        /// Who answered for the rules that do not count, `standing.excepted`, and why.
        package let waivers: [Waiver]
    }

    /// - Throws: 404 for an unknown version.
    package func explain(_ subject: Subject, in repository: Repository) async throws -> Explanation {
        let newest = try await history(of: repository, limit: 1).first
        let number = newest?.hasRules == true ? newest?.number : nil
        return try await pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            guard let id = try await id(of: subject, in: repository, transaction),
                let facts = try await judge.facts.facts(of: [id], in: transaction)[id]
            else { throw Refusal.noVersion(subject, in: repository.name) }
            let standing = try await standing(id, subject, in: repository, transaction)
            return Explanation(
                facts: facts, standing: standing, number: number,
                waivers: try await waivers(of: standing.excepted, subject, in: repository, transaction))
        }
    }

    /// - Parameter decisions: only these.
    /// - Returns: by crate and version, at most `limit`; versions that are just allowed are not among them.
    package func standings(
        of repository: Repository, decisions: [Decision], crate: CrateName?, limit: Int
    ) async throws -> [Standing] {
        try await pool.query(
            """
            SELECT crates.name, versions.number, decisions.decision, rule, refusal, awaits_file, holds_yank, data,
              extract(epoch FROM again_at)::bigint AS again
            FROM decisions JOIN versions ON versions.id = decisions.version_id
            JOIN crates ON crates.id = versions.crate_id
            WHERE crates.repository_id = \(repository.id)
              AND decisions.decision = ANY(\(decisions.map(\.rawValue))::text[])
              AND identity = coalesce(\(crate?.identity), identity)
            ORDER BY crates.identity, versions.id LIMIT \(limit)
            """
        ).map { row in
            Standing(try row.value("name"), try row.value("number"), try DecisionRows.verdict(row))
        }
    }

    func standing(
        _ id: Int64, _ subject: Subject, in repository: Repository, _ transaction: Transaction
    ) async throws -> Standing {
        let judged = try await judged(id, in: repository, transaction)
        return Standing(
            judged?.facts.name ?? subject.name.spelling, judged?.facts.version ?? subject.version.description,
            judged?.verdict ?? .allowed)
    }

    /// - Returns: nil if the repository has no rules.
    func judged(
        _ id: Int64, in repository: Repository, _ transaction: Transaction
    ) async throws -> PolicyJudge.Judged? {
        let rows = try await transaction.query(
            """
            SELECT id, extract(epoch FROM now())::bigint AS now FROM policies
            WHERE repository_id = \(repository.id) ORDER BY number DESC LIMIT 1
            """)
        guard let row = rows.first, let rules = try await judge.books.rules(row.value("id"), in: transaction) else {
            return nil
        }
        return try await judge.judged([id], by: rules, at: row.value("now"), transaction)[id]
    }
}

extension Checksum {
    /// Of a text as UTF-8.
    init(of text: String) {
        guard let checksum = Checksum(bytes: SHA256.hash(data: Array(text.utf8))) else {
            preconditionFailure("SHA-256 has 32 bytes")
        }
        self = checksum
    }
}

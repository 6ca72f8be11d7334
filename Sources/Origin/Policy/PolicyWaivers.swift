import FoundationEssentials
import Postgres
package import PolicyRules
import Registry

extension PolicyStore {
    /// Why a rule that would hold back a version does not: somebody answered for that.
    package struct Waiver: Sendable, Hashable, Encodable {
        /// How it came about.
        package enum Kind: String, Sendable, Encodable { case exception, release }

        package let rule: String
        package let kind: Kind
        /// The owner of the exception, or who released the version.
        package let by: String
        package let reason: String
        /// When the exception ends, or the version was released; UTC, `2026-08-21T07:05:09Z`.
        package let time: String
    }

    /// The exceptions of the newest rules and the releases behind `excepted`, in the order of those rules' names.
    func waivers(
        of excepted: [String], _ subject: Subject, in repository: Repository, _ transaction: Transaction
    ) async throws -> [Waiver] {
        guard !excepted.isEmpty else { return [] }
        let released = try await transaction.query(
            """
            SELECT rule, reason, released_by, to_char(released_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at
            FROM releases WHERE repository_id = \(repository.id) AND identity = \(subject.name.identity)
              AND bare_number = \(subject.version.bare)
            """
        ).map { row in
            Waiver(
                rule: try row.value("rule"), kind: .release, by: try row.value("released_by"),
                reason: try row.value("reason"), time: try row.value("at"))
        }
        let rows = try await transaction.query(
            """
            SELECT text, extract(epoch FROM now())::bigint AS now FROM policies
            WHERE repository_id = \(repository.id) ORDER BY number DESC LIMIT 1
            """)
        let file = try rows.first?.value("text", as: String?.self).map { try PolicyFile(parsing: $0) }
        let now = try rows.first?.value("now", as: Int.self) ?? 0
        return excepted.flatMap { rule in
            // A release goes first, as in the judging.
            if let release = released.first(where: { $0.rule == rule }) { return [release] }
            return (file?.exceptions(from: rule, for: subject.name, subject.version, at: now) ?? []).map { exception in
                Waiver(
                    rule: rule, kind: .exception, by: exception.owner, reason: exception.reason,
                    time: Pubtime(secondsSince1970: Int64(exception.expires))?.description ?? "")
            }
        }
    }
}

import FoundationEssentials
package import Postgres
import Registry

/// Owns `audit`: lines are written in the transaction of the change that they tell of, and never changed.
package struct AuditStore: Sendable {
    package init() {}

    /// Writes one line; it is there if and only if the change is.
    package func record(_ entry: AuditEntry, in transaction: Transaction) async throws {
        _ = try await transaction.execute(
            """
            INSERT INTO audit (actor, token_id, action, repository, crate, version, detail)
            VALUES (\(entry.actor), \(entry.tokenID), \(entry.action), \(entry.repository?.description),
                    \(entry.crate?.spelling), \(entry.version), \(try Self.json(entry.detail))::jsonb)
            """)
    }

    private static func json(_ detail: [String: String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(detail), as: UTF8.self)
    }
}

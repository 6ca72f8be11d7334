import FoundationEssentials
package import Postgres
import Registry

/// Owns `audit` and `audit_head`: lines are written in the transaction of the change that they tell of, and never changed.
///
/// PostgreSQL itself gives each line its number, time and hash (migration 8), under a lock that is held until commit and
/// taken before the feed's: in a transaction that does both, the audit comes first and the feed last.
package struct AuditStore: Sendable {
    /// More of one text would be somebody's attempt to fill the log.
    private static let textCharactersMax = 2000

    package init() {}

    /// Writes one line; it is there if and only if the change is.
    package func record(_ entry: AuditEntry, in transaction: Transaction) async throws {
        try await record(entry, from: RequestSource.current, in: transaction)
    }

    /// Writes lines that belong together, in their order; none for none.
    func record(_ entries: [AuditEntry], in transaction: Transaction) async throws {
        guard !entries.isEmpty else { return }
        let source = RequestSource.current
        try await insert(entries.map { ($0, source) }, transaction)
    }

    /// Writes one line about something that came from elsewhere than the request at hand.
    func record(_ entry: AuditEntry, from source: RequestSource, in transaction: Transaction) async throws {
        try await insert([(entry, source)], transaction)
    }

    /// Writes lines about what came from elsewhere, each from its own place, in their order; none for none.
    func record(_ lines: [(entry: AuditEntry, source: RequestSource)], in transaction: Transaction) async throws {
        guard !lines.isEmpty else { return }
        try await insert(lines, transaction)
    }

    private func insert(
        _ lines: [(entry: AuditEntry, source: RequestSource)], _ transaction: Transaction
    ) async throws {
        let entries = lines.map(\.entry)
        _ = try await transaction.execute(
            """
            INSERT INTO audit (actor, token_id, action, repository, crate, version, rule, detail, address, request)
            SELECT actor, token_id, action, repository, crate, version, rule, detail::jsonb, address, request
            FROM unnest(\(entries.map { Self.plain($0.actor) })::text[], \(entries.map(\.tokenID))::bigint[],
              \(entries.map { Self.plain($0.action) })::text[], \(entries.map { $0.repository?.description })::text[],
              \(entries.map { $0.crate?.spelling })::text[], \(entries.map { $0.version.map(Self.plain) })::text[],
              \(entries.map { $0.rule.map(Self.plain) })::text[], \(try entries.map { try Self.json($0.detail) })::text[],
              \(lines.map { $0.source.address.map(Self.plain) })::text[],
              \(lines.map { $0.source.request.map(Self.plain) })::text[])
              WITH ORDINALITY AS line (
                actor, token_id, action, repository, crate, version, rule, detail, address, request, place)
            ORDER BY place
            """)
    }

    /// Without control characters, which `jq` and PostgreSQL do not all spell alike, and not longer than is useful.
    static func plain(_ text: String) -> String {
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(textCharactersMax) {
            plain.append(scalar.value < 0x20 || scalar.value == 0x7f ? "\u{FFFD}" : scalar)
        }
        return String(plain)
    }

    private static func json(_ detail: [String: String]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(detail.mapValues(plain)), as: UTF8.self)
    }
}

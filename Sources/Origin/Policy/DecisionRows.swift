import FoundationEssentials
import Postgres
import PolicyRules
import Registry

/// Keeps verdicts, and makes index files agree with them, in the transaction of others.
enum DecisionRows {
    /// Whose decision it is.
    struct Place: Sendable {
        let repository: RepositoryName
        let crateID: Int64
        let crate: CrateName
        let version: String
    }

    /// - Parameters:
    ///   - verdicts: by version; one that is missing is just allowed.
    ///   - places: all versions that were judged; their crates' rows are locked.
    static func apply(
        _ verdicts: [Int64: PolicyVerdict], to places: [Int64: Place], _ transaction: Transaction
    ) async throws -> Verdicts {
        let ids = places.keys.sorted()
        let before = try await read(ids, transaction)
        let changes = ids.compactMap { id -> Change? in
            guard let place = places[id] else { return nil }
            let change = Change(
                id: id, place: place, before: before[id] ?? .allowed, after: verdicts[id] ?? .allowed)
            return change.before == change.after ? nil : change
        }
        try await write(changes, transaction)
        let renewed = try await serve(verdicts, places, transaction)
        return Verdicts(
            entries: changes.compactMap(\.entry), events: renewed + changes.compactMap(\.event))
    }

    private struct Change {
        let id: Int64
        let place: Place
        let before: PolicyVerdict
        let after: PolicyVerdict

        /// Edges keep the origin's word on a download.
        var event: RegistryEvent? {
            guard before.refusal != after.refusal || before.awaitsFile != after.awaitsFile else { return nil }
            return .version(repository: place.repository, crate: place.crate, version: place.version)
        }

        var entry: AuditEntry? {
            guard
                before.decision != after.decision || before.rule != after.rule || before.awaitsFile != after.awaitsFile
            else { return nil }
            let reason = after.grounds.reasons.last
            var detail = ["decision": after.decision.rawValue, "was": before.decision.rawValue]
            // Nothing is refused until the file is here; then there is a line of that.
            if after.awaitsFile { detail["awaits"] = "file" }
            if let reason { detail["because"] = reason.because.isEmpty ? reason.reason : reason.because }
            return AuditEntry(
                actor: Actor.policy.name, action: "policy.decide", repository: place.repository, crate: place.crate,
                version: place.version, rule: after.rule ?? before.rule, detail: detail)
        }
    }

    static func read(_ ids: [Int64], _ transaction: Transaction) async throws -> [Int64: PolicyVerdict] {
        let rows = try await transaction.query(
            """
            SELECT version_id, decision, rule, refusal, awaits_file, holds_yank, data,
              extract(epoch FROM again_at)::bigint AS again
            FROM decisions WHERE version_id = ANY(\(ids)::bigint[])
            """)
        var verdicts: [Int64: PolicyVerdict] = [:]
        for row in rows { verdicts[try row.value("version_id")] = try verdict(row) }
        return verdicts
    }

    static func verdict(_ row: Row) throws -> PolicyVerdict {
        guard let decision = Decision(rawValue: try row.value("decision", as: String.self)) else {
            preconditionFailure("the table allows decisions only")
        }
        let data = Array(try row.value("data", as: String.self).utf8)
        return PolicyVerdict(
            decision: decision, rule: try row.value("rule", as: String?.self),
            refusal: try row.value("refusal", as: String?.self), awaitsFile: try row.value("awaits_file"),
            holdsYank: try row.value("holds_yank"),
            grounds: try JSONDecoder().decode(PolicyVerdict.Grounds.self, from: Data(data)),
            againAt: try row.value("again", as: Int?.self))
    }

    private static func write(_ changes: [Change], _ transaction: Transaction) async throws {
        let plain = changes.filter(\.after.isPlain).map(\.id)
        if !plain.isEmpty {
            _ = try await transaction.execute("DELETE FROM decisions WHERE version_id = ANY(\(plain)::bigint[])")
        }
        let kept = changes.filter { !$0.after.isPlain }
        guard !kept.isEmpty else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        _ = try await transaction.execute(
            Self.upsert.bind(
                kept.map(\.id), kept.map(\.after.decision.rawValue), kept.map(\.after.rule), kept.map(\.after.refusal),
                kept.map(\.after.awaitsFile), kept.map(\.after.holdsYank),
                try kept.map { String(decoding: try encoder.encode($0.after.grounds), as: UTF8.self) },
                kept.map(\.after.againAt)))
    }

    /// $1 version, $2 decision, $3 rule, $4 refusal, $5 awaits its file, $6 holds a yank, $7 grounds, $8 seconds since 1970.
    private static let upsert: Query = """
        INSERT INTO decisions (version_id, decision, rule, refusal, awaits_file, holds_yank, data, again_at)
        SELECT id, decision, rule, refusal, awaits_file, holds_yank, data, to_timestamp(again)
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::boolean[], $7::text[],
          $8::bigint[]) AS made (id, decision, rule, refusal, awaits_file, holds_yank, data, again)
        ON CONFLICT (version_id) DO UPDATE SET decision = EXCLUDED.decision, rule = EXCLUDED.rule,
          refusal = EXCLUDED.refusal, awaits_file = EXCLUDED.awaits_file, holds_yank = EXCLUDED.holds_yank,
          data = EXCLUDED.data, again_at = EXCLUDED.again_at, decided_at = now()
        """

    /// A version's line, as it is served and as it would be without rules.
    private struct Line {
        let id: Int64
        let source: String
        let isYanked: Bool
        let isChanged: Bool
    }

    /// Sets `yanked` in the lines of versions where it must be another than it is.
    ///
    /// - Returns: the events of the index files that are new by that.
    private static func serve(
        _ verdicts: [Int64: PolicyVerdict], _ places: [Int64: Place], _ transaction: Transaction
    ) async throws -> [RegistryEvent] {
        let wanted = verdicts.filter { $0.value.yank != nil }.keys.sorted()
        let lines = try await transaction.query(
            """
            SELECT id, coalesce(source_line, line) AS source, yanked, source_line IS NOT NULL AS is_changed FROM versions
            WHERE id = ANY(\(wanted)::bigint[])
              OR (crate_id = ANY(\(Set(places.values.map(\.crateID)).sorted())::bigint[]) AND source_line IS NOT NULL)
            """
        ).map { row in
            Line(
                id: try row.value("id"), source: try row.value("source"), isYanked: try row.value("yanked"),
                isChanged: try row.value("is_changed"))
        }
        var touched: [Int64: Place] = [:]
        var made: [(id: Int64, isYanked: Bool, text: String, source: String?)] = []
        for line in lines {
            guard let place = places[line.id] else { continue }
            let own = line.isYanked != line.isChanged
            let served = verdicts[line.id]?.yank ?? own
            guard served != line.isYanked else { continue }
            let text = served == own ? line.source : IndexLineText.with(yanked: served, line.source)
            made.append((line.id, served, text, served == own ? nil : line.source))
            touched[place.crateID] = place
        }
        guard !made.isEmpty else { return [] }
        _ = try await transaction.execute(
            """
            UPDATE versions SET yanked = made.yanked, line = made.line, source_line = made.source
            FROM unnest(\(made.map(\.id))::bigint[], \(made.map(\.isYanked))::boolean[], \(made.map(\.text))::text[],
              \(made.map(\.source))::text[]) AS made (id, yanked, line, source)
            WHERE versions.id = made.id
            """)
        return try await renew(touched, transaction)
    }

    private static func renew(
        _ places: [Int64: Place], _ transaction: Transaction
    ) async throws -> [RegistryEvent] {
        var events: [RegistryEvent] = []
        for (repository, places) in Dictionary(grouping: places.values, by: \.repository).sorted(by: {
            $0.key.description < $1.key.description
        }) {
            let crates = places.sorted { $0.crateID < $1.crateID }.map {
                CrateRows.Crate(id: $0.crateID, name: $0.crate.spelling, generation: 0)
            }
            events += try await ImportRows.renewIndexFiles(of: crates, in: repository, transaction)
        }
        return events
    }
}

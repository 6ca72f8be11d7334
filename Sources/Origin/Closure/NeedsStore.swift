import Postgres
import Registry

/// What crates need, as `ResolverWalk` asks it: read once for each state of an index file.
struct NeedsStore: Sendable {
    private struct Key: Hashable {
        let crateID: Int64
        let generation: UInt64
    }

    private let known = RecentlyUsed<Key, CrateNeeds>(bytesMax: 64 << 20)

    /// Puts it into all that was found, in the snapshot of the transaction.
    func fill(_ found: inout [IndexPath: ClosureItems.Found], _ transaction: Transaction) async throws {
        var needs = known.held(found.values.map(Self.key))
        let missing = found.values.filter { needs[Self.key($0)] == nil }
        if !missing.isEmpty {
            let lines = try await lines(of: missing.map(\.crateID), transaction)
            for crate in missing {
                let made = CrateNeeds(lines[crate.crateID] ?? [])
                known.keep(Self.key(crate), made, bytes: made.bytes)
                needs[Self.key(crate)] = made
            }
        }
        for (path, crate) in found { found[path]?.needs = needs[Self.key(crate)] }
    }

    private static func key(_ found: ClosureItems.Found) -> Key {
        Key(crateID: found.crateID, generation: found.tag.generation)
    }

    /// The lines of the versions that count, the newest first.
    private func lines(
        of crateIDs: [Int64], _ transaction: Transaction
    ) async throws -> [Int64: [(version: Version, text: String)]] {
        let chosen = try await chosen(of: crateIDs, transaction)
        let rows = try await transaction.query(Self.texts(chosen.map(\.crateID), chosen.map(\.version.bare)))
        var texts: [Int64: [String: String]] = [:]
        for row in rows {
            let number = try row.value("number", as: String.self)
            texts[try row.value("crate_id", as: Int64.self), default: [:]][number] = try row.value(
                "line", as: String.self)
        }
        return chosen.reduce(into: [:]) { lines, choice in
            guard let text = texts[choice.crateID]?[choice.version.description] else { return }
            lines[choice.crateID, default: []].append((choice.version, text))
        }
    }

    private func chosen(
        of crateIDs: [Int64], _ transaction: Transaction
    ) async throws -> [(crateID: Int64, version: Version)] {
        var versions: [Int64: [(version: Version, yanked: Bool)]] = [:]
        for row in try await transaction.query(Self.numbers(crateIDs)) {
            // No resolver takes a version that can't be read.
            guard let version = try? Version(row.value("number", as: String.self)) else { continue }
            versions[try row.value("crate_id", as: Int64.self), default: []].append(
                (version: version, yanked: try row.value("yanked", as: Bool.self)))
        }
        return versions.flatMap { crateID, all in
            CrateNeeds.versions(among: all).map { (crateID: crateID, version: $0) }
        }
    }

    /// All versions of these crates.
    static func numbers(_ crateIDs: [Int64]) -> Query {
        "SELECT crate_id, number, yanked FROM versions WHERE crate_id = ANY(\(crateIDs)::bigint[])"
    }

    /// The lines of these versions of these crates, in pairs.
    ///
    /// - Parameter bare: what the unique index holds: by the whole number a planner without statistics reads the table.
    static func texts(_ crateIDs: [Int64], _ bare: [String]) -> Query {
        """
        SELECT versions.crate_id, versions.number, versions.line
        FROM unnest(\(crateIDs)::bigint[], \(bare)::text[]) AS chosen (crate_id, bare)
        JOIN versions ON versions.crate_id = chosen.crate_id AND versions.bare_number = chosen.bare
        """
    }
}

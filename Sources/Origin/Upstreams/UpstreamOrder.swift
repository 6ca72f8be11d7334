import Postgres
import Registry

/// Whose lines count, if several upstreams have a crate: the first that has it, in the repository's order.
extension UpstreamStore {
    /// True if the crate has lines of one of these upstreams.
    func has(
        _ crate: CrateRows.Crate, anyOf upstreams: [Int64], _ transaction: Transaction
    ) async throws -> Bool {
        guard !upstreams.isEmpty else { return false }
        let rows = try await transaction.query(
            "SELECT 1 FROM versions WHERE crate_id = \(crate.id) AND upstream_id = ANY(\(upstreams)::bigint[]) LIMIT 1")
        return !rows.isEmpty
    }

    /// Lines that came from another upstream, such as one that was removed, are this one's now: it has the crate.
    func takeOver(
        _ crate: CrateRows.Crate, _ upstream: Upstream, _ transaction: Transaction
    ) async throws {
        _ = try await transaction.execute(
            """
            UPDATE versions SET upstream_id = \(upstream.id)
            WHERE crate_id = \(crate.id) AND upstream_id <> \(upstream.id)
            """)
    }
}

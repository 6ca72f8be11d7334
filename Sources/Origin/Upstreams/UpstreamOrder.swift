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
    ///
    /// - Returns: versions whose facts named the other one until now. They have to be judged again, since rules may name
    ///   upstreams; one that the transaction deletes meanwhile may be among them.
    func takeOver(
        _ crate: CrateRows.Crate, _ upstream: Upstream, _ transaction: Transaction
    ) async throws -> [Int64] {
        _ = try await transaction.execute(
            """
            UPDATE versions SET upstream_id = \(upstream.id)
            WHERE crate_id = \(crate.id) AND upstream_id <> \(upstream.id)
            """)
        return try await facts.nameUpstream(upstream.name, upstream.id, ofCrate: crate.id, in: transaction)
    }
}

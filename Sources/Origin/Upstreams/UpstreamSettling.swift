import Postgres
import Registry

extension UpstreamDesk {
    /// Waits until what the repository says of the name is what its upstreams say now; a stale answer does not do.
    ///
    /// - Returns: why not, in the words of the last fault; nil if it is so, also if no upstream has the crate.
    func settle(_ name: CrateName, in repository: Repository) async throws -> String? {
        for standing in try await store.standings(of: name, in: repository) {
            if !standing.isFresh { try await refresh(name, at: standing.upstream.id, in: repository) }
            let now = try await store.standings(of: name, in: repository)
            // Published here or removed meanwhile.
            guard let settled = now.first(where: { $0.upstream.id == standing.upstream.id }) else { return nil }
            guard settled.isFresh else { return try await cause(name, standing.upstream, in: repository) }
            if settled.verdict != .absent { return nil }
        }
        return nil
    }

    private func cause(_ name: CrateName, _ upstream: Upstream, in repository: Repository) async throws -> String {
        try await store.fault(of: name, in: repository) ?? "the upstream `\(upstream.name)` cannot be asked now"
    }
}

extension UpstreamStanding {
    fileprivate var isFresh: Bool { answered.map { $0.ageSeconds < Double(upstream.freshSeconds) } ?? false }
}

extension UpstreamStore {
    /// The newest useless answer for the name.
    func fault(of name: CrateName, in repository: Repository) async throws -> String? {
        try await pool.query(
            """
            SELECT cause FROM upstream_faults JOIN upstreams ON upstreams.id = upstream_id
            WHERE repository_id = \(repository.id) AND removed_at IS NULL AND upstream_faults.name = \(name.lowered)
            ORDER BY at DESC LIMIT 1
            """
        ).first?.value("cause")
    }
}

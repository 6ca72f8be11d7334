package import Registry

/// One edge as lists show it: its row, what it reported, and whether it is connected to any replica just now.
package struct EdgeView: Encodable, Hashable, Sendable {
    /// How an edge stands to the origin.
    package enum State: String, Encodable, Sendable {
        case connected
        /// It was connected once; `since` says when it was last seen.
        case away
        /// It has a credential and has never come.
        case new
        case revoked
    }

    package let name: String
    package let region: String
    package let state: State
    /// When it connected, was last seen or was revoked; nil for a new one.
    package let since: String?
    /// The origin replica that its feed comes from.
    package let replica: String?
    /// The last feed position that it is known to have applied, and how many it lacks.
    package let applied: UInt64?
    package let behind: UInt64?
    /// Where this edge itself is reached.
    package let url: String?
    package let reported: String?
    package let report: EdgeReport?
    package let created: String
    package let seen: String?
    package let revoked: String?

    init(_ record: EdgeRecord, _ found: (replica: String, connection: EdgeConnection)?, head: UInt64) {
        name = record.name
        region = record.region
        let found = record.revoked == nil ? found : nil
        (state, since) =
            if let revoked = record.revoked { (.revoked, revoked) } else if let found {
                (.connected, found.connection.since)
            } else if let seen = record.seen { (.away, seen) } else { (.new, nil) }
        replica = found?.replica
        // A stream begins where the edge says that it stands; a report can be some seconds old.
        let applied = [found?.connection.applied, record.report?.applied].compactMap { $0 }.max()
        self.applied = applied
        behind = applied.map { head > $0 ? head - $0 : 0 }
        url = record.url
        report = record.report
        reported = record.reported
        created = record.created
        seen = record.seen
        revoked = record.revoked
    }

    /// What a person reads of it in `edge list`.
    package var stateText: String {
        switch state {
        case .connected where report?.isFresh == false: "connected, not fresh"
        case .connected, .revoked: state.rawValue
        case .away: "away since \(since ?? "")"
        case .new: "never seen"
        }
    }

    package var cacheText: String {
        guard let report else { return "" }
        return "\(report.entries) in memory (\(Amount.bytes(report.memoryBytes))), "
            + "\(Amount.of(report.blobs, "crate")) (\(Amount.bytes(report.diskBytes)))"
    }
}

/// All edges with how they stand, from the database alone: every replica and every command sees the same.
package struct EdgeList: Sendable {
    let edges: EdgeStore
    let board: ReplicaBoard
    let feed: FeedStore

    /// By name; revoked edges too.
    package func all() async throws -> [EdgeView] {
        let records = try await edges.list()
        let connections = try await board.connections()
        // Last, so that no edge seems to be ahead of the feed.
        let head = try await feed.head()
        return records.map { EdgeView($0, connections[$0.id], head: head) }
    }
}

/// `GET /{repository}/edges`: where a build could read this repository, for `longshore-bench nearest`.
struct NearbyEdges: Encodable {
    struct Edge: Encodable {
        let name: String
        let region: String
        /// The edge's own address, not the name that all edges share.
        let url: String
        let connected: Bool
        /// Feed positions that it lacks; nil if it has never said where it stands.
        let behind: UInt64?
    }

    /// The repository's one index address, as lock files name it.
    let index: String
    let edges: [Edge]

    init(_ repository: RepositoryName, _ views: [EdgeView], _ addresses: PublicAddresses) {
        index = "sparse+" + addresses.index(repository)
        edges = views.compactMap { view in
            guard view.state != .revoked, let url = view.url else { return nil }
            return Edge(
                name: view.name, region: view.region, url: url, connected: view.state == .connected,
                behind: view.behind)
        }
    }
}

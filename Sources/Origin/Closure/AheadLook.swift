import Postgres
import Registry

/// One look ahead: what is known is read from the database, what is not is asked of upstreams, and both lead on.
struct AheadLook {
    private enum Event: Sendable {
        /// What of the names is here, and which of the others an upstream must be asked for.
        case looked([IndexPath: CrateNeeds], [UpstreamDesk.Asked])
        case heard(IndexPath, UpstreamDesk.Ahead)
        case written(bytes: Int)
    }

    private let store: ClosureStore
    private let upstreams: UpstreamDesk
    private let limits: ClosureAhead.Limits
    private let repository: Repository
    private let roots: Set<IndexPath>
    private var graph: NeedsGraph
    /// Looked up next, all at once.
    private var wanted: [IndexPath]
    private var isLooking = false
    /// Asked next, when there is room.
    private var askable: [UpstreamDesk.Asked] = []
    private var asked = 0
    private var open = 0
    private var bytes = 0

    init(
        store: ClosureStore, upstreams: UpstreamDesk, limits: ClosureAhead.Limits, repository: Repository,
        roots: [IndexPath]
    ) {
        self.store = store
        self.upstreams = upstreams
        self.limits = limits
        self.repository = repository
        self.roots = Set(roots)
        graph = NeedsGraph(roots)
        wanted = roots
    }

    /// Returns when there is nothing more to ask for, and all is written.
    consuming func run() async throws {
        try await withThrowingTaskGroup(of: Event.self) { group in
            goOn(&group)
            while let event = try await group.next() {
                take(event, &group)
                goOn(&group)
            }
        }
    }

    private mutating func goOn(_ group: inout ThrowingTaskGroup<Event, any Error>) {
        if !isLooking, !wanted.isEmpty {
            let paths = wanted
            wanted = []
            isLooking = true
            group.addTask { [store, upstreams, repository] in
                try await Self.look(paths, in: repository, store, upstreams)
            }
        }
        while !askable.isEmpty, open < limits.openMax, bytes < limits.bytesMax, asked < limits.namesMax {
            let next = askable.removeFirst()
            asked += 1
            open += 1
            group.addTask { [upstreams, repository] in
                .heard(next.name.indexPath, try await upstreams.hear(next, in: repository))
            }
        }
    }

    private mutating func take(_ event: Event, _ group: inout ThrowingTaskGroup<Event, any Error>) {
        switch event {
        case .looked(let known, let unknown):
            isLooking = false
            for (path, needs) in known { learn(path, needs) }
            askable += unknown
        case .heard(_, .nothing): open -= 1
        case .heard(let path, .kept):
            open -= 1
            wanted.append(path)
        case .heard(let path, .lines(let lines, let kept)):
            let size = lines.reduce(0) { $0 + $1.text.utf8.count }
            bytes += size
            group.addTask {
                // What is wrong about it was noted where it was written.
                _ = await kept.result
                return .written(bytes: size)
            }
            learn(path, CrateNeeds(lines))
        case .written(let size):
            open -= 1
            bytes -= size
        }
        wanted += graph.next()
    }

    /// As far as `ResolverWalk` finds likely: every name that is written is followed for ever, whether or not it is asked for again.
    private mutating func learn(_ path: IndexPath, _ needs: CrateNeeds) {
        graph.learn(path, needs)
        guard roots.contains(path) else { return }
        let step = ResolverWalk.first
        graph.begin(path, linesMax: step.linesMax, wantsAll: step.wantsAll)
    }

    /// In one short snapshot.
    private static func look(
        _ paths: [IndexPath], in repository: Repository, _ store: ClosureStore, _ upstreams: UpstreamDesk
    ) async throws -> Event {
        let moment = upstreams.moment
        return try await store.pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            let known = try await store.needs(of: paths, in: repository, transaction)
            let names = paths.filter { known[$0] == nil }.compactMap { try? CrateName($0.name) }
            let standings = try await upstreams.standings(
                of: names, in: repository, since: moment, transaction)
            return .looked(known, standings.filter(\.at.isUnknown))
        }
    }
}

extension CrateNeeds {
    /// Of an upstream's file.
    fileprivate convenience init(_ lines: [UpstreamLine]) {
        let chosen = Set(Self.versions(among: lines.map { (version: $0.version, yanked: $0.isYanked) }))
        let newest = lines.filter { chosen.contains($0.version) }.sorted { $0.version > $1.version }
        self.init(newest.map { (version: $0.version, text: $0.text) })
    }
}

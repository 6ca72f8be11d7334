import Registry

@testable import Origin

/// The model of PostgreSQL: the lock on the head, commits, snapshots with their position, and what befalls the feed.
final class Database {
    /// A change on its way: what it does is decided when it holds the lock, as rows are locked in the real one.
    struct Change {
        let decide: (Truth) -> [(event: RegistryEvent, changes: [(subject: Int, state: Fact.State)])]
        /// Nil: rolled back.
        let committed: (UInt64?) -> Void
    }

    unowned let world: World
    private(set) var truth: Truth
    /// Position 1 is at place 0; nil is a row that is gone.
    private var rows: [FeedRing.Frame?] = []
    private var waiting: [Change] = []
    private var isLocked = false
    /// The next commit takes longer by this.
    var slowness = 0
    /// What replicas last said, by name.
    var board: [String: ReplicaProgress] = [:]
    private var boardClock: Int64 = 0

    init(_ world: World) {
        self.world = world
        truth = Truth(world.cast)
    }

    var head: UInt64 { truth.head }

    /// The change has done all but the last statement, which takes the position.
    func append(_ change: Change) {
        waiting.append(change)
        if !isLocked { lockNext() }
    }

    private func lockNext() {
        guard !waiting.isEmpty else { return }
        let change = waiting.removeFirst()
        isLocked = true
        let time = world.dice.between(200, 4000) + slowness
        slowness = 0
        world.after(time) { [unowned self] in
            if world.dice.chance(percent: 3) { change.committed(nil) } else { commit(change) }
            isLocked = false
            lockNext()
        }
    }

    private func commit(_ change: Change) {
        for (event, changes) in change.decide(truth) {
            truth.commit(event, changes, at: world.now)
            rows.append(FeedRing.Frame(position: head, kind: event.kind, data: event.data))
            world.note("db", "commits", key: changes.first?.subject ?? -1, head, UInt64(changes.count))
        }
        change.committed(head)
        for replica in world.replicas { replica.notified() }
    }

    /// One snapshot of the feed after `position`.
    func page(after position: UInt64, rowsMax: Int) -> FeedStore.Page {
        var found: [FeedRing.Frame] = []
        var place = Int(min(position, head))
        while place < rows.count, found.count < rowsMax {
            if let row = rows[place] { found.append(row) }
            place += 1
        }
        return FeedStore.Page(head: head, rows: found, after: position)
    }

    /// Retention: rows go from the oldest on.
    func prune(keeping count: Int) {
        for place in 0..<max(0, rows.count - count) { rows[place] = nil }
        world.note("db", "prunes", key: -1, head, UInt64(count))
    }

    /// A row among the newest that somebody deleted by hand.
    func damage(_ back: Int) {
        guard back < rows.count else { return }
        rows[rows.count - 1 - back] = nil
        world.note("db", "loses a row", key: -1, UInt64(rows.count - back), 0)
    }

    func say(_ replica: String, edges: Int, applied: UInt64?) -> ReplicaProgress {
        boardClock = max(boardClock + 1, Int64(world.now))
        let said = ReplicaProgress(edges: edges, applied: applied, at: boardClock)
        board[replica] = said
        return said
    }

    /// The replicas that spoke lately; `ReplicaStore.living` asks PostgreSQL the same.
    func living() -> [String: ReplicaProgress] {
        let since = Int64(world.now - ReplicaStore.silentSecondsMax * 1_000_000)
        return board.filter { $0.value.at > since }
    }
}

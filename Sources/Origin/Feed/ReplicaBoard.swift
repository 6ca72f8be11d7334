package import Logging
package import Postgres
import ServiceLifecycle
import Synchronization

/// What all replicas know of all edges' progress: a row a replica, whatever the number of edges.
///
/// Each second, and soon after acknowledgements, this replica says how many edges it serves and what the slowest has
/// applied. Replicas that are silent for longer than their edges' leases can last count as dead (`ReplicaStore`).
package final class ReplicaBoard: Service {
    /// Acknowledgements within this time are told in one go.
    private static let coalescing: Duration = .milliseconds(10)
    private static let interval: Duration = .seconds(1)

    /// Lower-case letters and digits; new for each start, so that acknowledgements of a former life go nowhere.
    package let replica: String
    private let store: ReplicaStore
    private let streams: EdgeStreams
    private let tail: FeedTail
    private let edges: EdgeStore
    private let logger: Logger
    /// Rings when an edge anywhere made progress.
    let bell = Doorbell()
    private let others: Mutex<ReplicaWords>
    private let voice: ReplicaVoice

    package init(pool: PostgresPool, streams: EdgeStreams, tail: FeedTail, edges: EdgeStore, logger: Logger) {
        replica = "r" + String(UInt64.random(in: .min ... .max), radix: 36)
        others = Mutex(ReplicaWords(own: replica))
        let store = ReplicaStore(pool: pool)
        self.store = store
        voice = ReplicaVoice { [replica] withStreams in
            let (edges, applied) = streams.summary
            try await store.say(
                replica, edges: edges, applied: applied, connections: withStreams ? streams.connections : nil)
        }
        self.streams = streams
        self.tail = tail
        self.edges = edges
        self.logger = logger
    }

    /// The edges that are connected somewhere and have not applied `position`: by name here, by number elsewhere.
    func behind(_ position: UInt64) -> [String] {
        streams.names(behind: position) + others.withLock { $0.behind(position) }
    }

    /// Who is connected to any replica: to this one now, to others at most a second ago; the stream that is further counts
    /// for an edge with two.
    func connections() async throws -> [Int64: (replica: String, connection: EdgeConnection)] {
        let others = try await store.connections().filter { $0.replica != replica }
        let own = streams.connections.map { (replica: replica, connection: $0) }
        return (others + own).reduce(into: [:]) { found, next in
            let edge = next.connection.edge
            if let held = found[edge], held.connection.applied > next.connection.applied { return }
            found[edge] = next
        }
    }

    /// Takes an acknowledgement, or passes it on to the replica that it is meant for.
    func acknowledged(_ stream: StreamName, edgeID: Int64, position: UInt64) async throws {
        if stream.replica == replica {
            streams.acknowledge(stream.number, edgeID: edgeID, position: position)
        } else {
            try await store.pass(on: .acknowledged(stream, edgeID: edgeID, position: position))
        }
    }

    /// What another replica said, as it came with a notification.
    func heard(_ payload: String) {
        switch ReplicaNews(parsing: payload) {
        case .acknowledged(let stream, let edgeID, let position) where stream.replica == replica:
            streams.acknowledge(stream.number, edgeID: edgeID, position: position)
        case .progress(let other, let said):
            if others.withLock({ $0.heard(other, said) }) { bell.ring() }
        case .acknowledged, nil: break
        }
    }

    /// Tells the others of an edge that has just connected here; the feed begins after it.
    ///
    /// A change that was committed before is in the head that the edge begins with; whoever commits one later finds
    /// this replica's row, and waits for the edge (I10).
    func introduce() async throws { try await voice.say() }

    /// Reads what the others said. Whoever waits for edges does it after its commit, since notifications are hints.
    func readOthers() async throws {
        let question = others.withLock { $0.question() }
        let living = try await store.living()
        others.withLock { $0.read(living, question: question) }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.tickEachSecond() }
                group.addTask { await self.tellProgress() }
                await group.next()
                group.cancelAll()
            }
        }
        do {
            try await store.leave(replica)
        } catch {
            logger.info("this replica's row stays for a minute", metadata: ["error": "\(error)"])
        }
    }

    private func tickEachSecond() async {
        var ticks = 0
        while !Task.isCancelled {
            do {
                try await voice.say(withStreams: true)
                try await readOthers()
                bell.ring()
                if ticks % 15 == 0 { try await keepHouse() }
                ticks += 1
            } catch is CancellationError {
                return
            } catch {
                logger.warning("this replica can't tell the others of its edges", metadata: ["error": "\(error)"])
            }
            for name in streams.cutStuck(floor: tail.floor, now: .now) {
                logger.warning("edge \(name) reads nothing and is cut off", metadata: ["edge": "\(name)"])
            }
            guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
        }
    }

    private func keepHouse() async throws {
        try await store.deleteDead()
        try await edges.areConnected(streams.edgeIDs)
    }

    /// Waits for acknowledgements; several that come together are told once.
    private func tellProgress() async {
        var told: UInt64?
        for await _ in streams.bell.listen() {
            bell.ring()
            let applied = streams.summary.applied
            // Alone, nobody needs to be told at once; the tick of the second keeps the row.
            guard applied != told, others.withLock({ !$0.isEmpty }) else { continue }
            do {
                try await Task.sleep(for: Self.coalescing)
                told = streams.summary.applied
                try await voice.say()
            } catch is CancellationError {
                return
            } catch {
                told = nil
                logger.warning("edges' progress could not be told", metadata: ["error": "\(error)"])
            }
        }
    }
}

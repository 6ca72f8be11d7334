package import Logging
package import Postgres
import ServiceLifecycle
import Synchronization

/// This replica's one reader of the feed: all edge streams are served from its memory.
///
/// It is woken by `NOTIFY` and looks each second besides, since a notification is a hint and never the source of
/// truth. Each successful look is a pulse; streams send a `lease` on pulses only, so that an origin which has lost
/// its database lets its edges' leases run out instead of vouching for what it can't know (I5).
package final class FeedTail: Service {
    /// Events kept in memory; at 200 bytes each about 3 MB.
    package static let framesMax = 8192
    static let pollInterval: Duration = .seconds(1)
    private static let pageRows = 1000

    private struct State {
        /// Nil until the first look.
        var ring: FeedRing?
        var pulses: UInt64 = 0
    }

    let store: FeedStore
    let bell = Doorbell()
    private let wake = Doorbell()
    private let state = Mutex(State())
    private let framesMax: Int
    private let logger: Logger

    package init(pool: PostgresPool, logger: Logger, framesMax: Int = FeedTail.framesMax) {
        store = FeedStore(pool: pool)
        self.logger = logger
        self.framesMax = framesMax
    }

    /// Something was appended: look now.
    func hint() { wake.ring() }

    /// Counts successful looks; 0 before the first.
    var pulses: UInt64 { state.withLock { $0.pulses } }

    /// The newest position that this replica knows of; nil before the first look.
    package var head: UInt64? { state.withLock { $0.ring?.head } }

    /// The oldest position that is still served from memory.
    var floor: UInt64 { state.withLock { $0.ring?.floor ?? 0 } }

    func next(after position: UInt64, framesMax: Int) -> FeedRing.Answer {
        state.withLock { $0.ring?.next(after: position, framesMax: framesMax) ?? .tooOld }
    }

    /// Ends all streams of this replica: their edges go to another one.
    func endStreams() { bell.close() }

    package func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.ringEachSecond() }
            group.addTask { await self.look() }
            await group.next()
            group.cancelAll()
        }
        endStreams()
    }

    private func ringEachSecond() async {
        do {
            while true {
                try await Task.sleep(for: Self.pollInterval)
                wake.ring()
            }
        } catch {
            // Cancelled: the service stops.
        }
    }

    private func look() async {
        let rings = wake.listen()
        await withGracefulShutdownHandler {
            for await _ in rings {
                if Task.isCancelled { return }
                do {
                    try await readNews()
                } catch {
                    if Task.isCancelled { return }
                    logger.warning(
                        "the feed can't be read; edges get no leases until it can", metadata: ["error": "\(error)"])
                }
            }
        } onGracefulShutdown: {
            self.wake.close()
        }
    }

    /// Reads until there is nothing newer, then rings for the streams.
    private func readNews() async throws {
        while true {
            guard let last = head else {
                let head = try await store.head()
                state.withLock { $0.ring = FeedRing(head: head, framesMax: framesMax) }
                continue
            }
            let page = try await store.page(after: last, rowsMax: Self.pageRows)
            if page.isGone { return restart(at: page.head, from: last) }
            try state.withLock { state in
                try state.ring?.append(page.frames)
                if page.frames.count < Self.pageRows { state.pulses += 1 }
            }
            bell.ring()
            if page.frames.count < Self.pageRows { return }
        }
    }

    /// The database is older than what this replica has seen (restored from a backup), or was pruned past it.
    private func restart(at head: UInt64, from last: UInt64) {
        logger.error(
            "the feed does not go on where this replica stood; all edges start anew",
            metadata: ["stood_at": "\(last)", "head": "\(head)"])
        state.withLock { $0.ring = FeedRing(head: head, framesMax: framesMax) }
        bell.ring()
    }
}

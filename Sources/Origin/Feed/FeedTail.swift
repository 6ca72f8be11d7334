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

    let store: FeedStore
    let bell = Doorbell()
    private let wake = Doorbell()
    private let memory: Mutex<FeedMemory>
    private let logger: Logger

    package init(pool: PostgresPool, logger: Logger, framesMax: Int = FeedTail.framesMax) {
        store = FeedStore(pool: pool)
        self.logger = logger
        memory = Mutex(FeedMemory(framesMax: framesMax))
    }

    /// Something was appended: look now.
    func hint() { wake.ring() }

    /// The last successful look; nil before the first.
    var pulse: FeedMemory.Pulse? { memory.withLock { $0.pulse } }

    /// The newest position that this replica knows of; nil before the first look.
    package var head: UInt64? { memory.withLock { $0.head } }

    /// The oldest position that is still served from memory.
    var floor: UInt64 { memory.withLock { $0.floor } }

    func next(after position: UInt64, framesMax: Int) -> FeedRing.Answer {
        memory.withLock { $0.next(after: position, framesMax: framesMax) }
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
                memory.withLock { $0.begin(at: head) }
                continue
            }
            let began = ContinuousClock.now
            let page = try await store.page(after: last, rowsMax: Self.pageRows)
            let step = try memory.withLock { try $0.take(page, rowsMax: Self.pageRows, began: began) }
            if case .restarted(let last) = step {
                logger.error(
                    "the feed does not go on where this replica stood; all edges start anew",
                    metadata: ["stood_at": "\(last)", "head": "\(page.head)"])
            }
            bell.ring()
            if step != .again { return }
        }
    }
}

import Logging
import NIOCore
import NIOPosix
import Synchronization

/// What all connections of a server share, whatever their event loop.
final class ServerShared: Sendable {
    let configuration: EdgeServerConfiguration
    let handler: any EdgeHandler
    let observer: (any EdgeRequestObserver)?
    let logger: Logger
    let threadPool: NIOThreadPool
    let connectionsOpen = Counter()
    let requestsOpen = Counter()
    let fileBytesBuffered = Counter()
    /// Whether handlers may be asked for a glance.
    let glances: Bool
    /// The configuration's.
    let clientField: ClientField?

    init(
        configuration: EdgeServerConfiguration, handler: any EdgeHandler, observer: (any EdgeRequestObserver)?,
        logger: Logger
    ) {
        self.configuration = configuration
        self.handler = handler
        self.observer = observer
        self.logger = logger
        threadPool = .singleton
        glances = observer?.takesGlances ?? true
        clientField = configuration.clientField
    }
}

/// What the connections of one event loop share: the clock, the date, scratch memory, the list of themselves.
///
/// Confined to its event loop.
final class ServerLoop {
    let shared: ServerShared
    let eventLoop: any EventLoop
    let figures: LoopFigures
    let allocator = ByteBufferAllocator()
    let outbox: Outbox
    var files = FileTable()
    private(set) var date = HTTPDate()
    /// The time of the last tick: free to read, exact enough to see that nothing has moved for long.
    private(set) var now = NIODeadline.now()
    private(set) var isDraining = false
    private var connections: [Connection] = []
    private var scratch: ByteBuffer
    private var nextRequest: UInt64
    private var ticker: RepeatedTask?
    private var emptied: EventLoopPromise<Void>?

    /// Gives every loop of the process its own range of request numbers, without sharing a counter.
    private static let loopsMade = Atomic<UInt64>(0)

    init(shared: ServerShared, eventLoop: any EventLoop, figures: LoopFigures) {
        self.shared = shared
        self.eventLoop = eventLoop
        self.figures = figures
        scratch = allocator.buffer(capacity: 64 << 10)
        outbox = Outbox(eventLoop)
        nextRequest = Self.loopsMade.wrappingAdd(1, ordering: .relaxed).oldValue << 40
        let time = shared.configuration.tickTime
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: time, delay: time) { _ in bound.value.tick() }
    }

    func requestNumber() -> UInt64 {
        nextRequest &+= 1
        return nextRequest
    }

    /// Lends a large empty buffer, so that idle connections hold no memory for output.
    func lendScratch() -> ByteBuffer {
        var lent = ByteBuffer()
        swap(&lent, &scratch)
        return lent
    }

    func giveBack(_ lent: consuming ByteBuffer) {
        guard lent.capacity <= 512 << 10 else { return }
        // Allocates anew if a pending write still holds the bytes.
        lent.clear()
        scratch = lent
    }

    // MARK: Connections

    func add(_ connection: Connection) {
        connection.place = connections.count
        connections.append(connection)
        figures.connectionsAccepted.add()
        if isDraining { connection.drain() }
    }

    func remove(_ connection: Connection) {
        let place = connection.place
        let last = connections.removeLast()
        if last !== connection {
            connections[place] = last
            last.place = place
        }
        if connections.isEmpty { emptied?.succeed() }
    }

    private func tick() {
        date.advance()
        now = .now()
        files.tidy(now)
        // A copy: a tick may close connections, which changes the list.
        for connection in connections { connection.tick(now) }
    }

    // MARK: Stopping

    /// Asks every connection to finish, and closes what is still open after `grace`.
    ///
    /// - Returns: completes when no connection is left.
    func drain(grace: TimeAmount) -> EventLoopFuture<Void> {
        if let emptied { return emptied.futureResult }
        let promise = eventLoop.makePromise(of: Void.self)
        emptied = promise
        isDraining = true
        for connection in connections { connection.drain() }
        if connections.isEmpty { promise.succeed() }
        let closing = eventLoop.assumeIsolated().scheduleTask(in: grace) { self.closeAll() }
        promise.futureResult.assumeIsolated().whenComplete { _ in
            closing.cancel()
            self.ticker?.cancel()
            self.ticker = nil
        }
        return promise.futureResult
    }

    private func closeAll() {
        if !connections.isEmpty {
            shared.logger.warning("closed \(connections.count) connections that did not finish in time")
        }
        for connection in connections { connection.closeNow() }
    }
}

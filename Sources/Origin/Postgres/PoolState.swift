/// Who holds which connection and who waits for one: the pool's decisions, without doing any of it.
struct PoolState {
    /// What a task that asked for a connection may do.
    enum Grant: Sendable {
        case use(Connection)
        /// There is room: open one, then report `opened` or `openFailed`.
        case open
    }

    typealias Waiter = CheckedContinuation<Grant, any Error>

    private let connectionsMax: Int
    private let waitingMax: Int
    /// Longest unused first, so that the pool's working set stays small.
    private var idle: [Connection] = []
    private var waiters: [(id: UInt64, waiter: Waiter)] = []
    private var lastID: UInt64 = 0
    private(set) var busy = 0
    private(set) var opening = 0
    private(set) var isClosed = false

    init(connectionsMax: Int, waitingMax: Int) {
        precondition(connectionsMax > 0, "a pool has room for a connection")
        self.connectionsMax = connectionsMax
        self.waitingMax = waitingMax
    }

    var idleCount: Int { idle.count }
    var waitingCount: Int { waiters.count }
    var inUse: Int { busy + opening }

    /// - Returns: nil if the task has to wait.
    mutating func ask() throws -> Grant? {
        guard !isClosed else { throw PostgresError.poolClosed }
        while let connection = idle.popLast() {
            guard connection.isReusable else {
                connection.close()
                continue
            }
            busy += 1
            return .use(connection)
        }
        guard busy + opening < connectionsMax else { return nil }
        opening += 1
        return .open
    }

    mutating func newID() -> UInt64 {
        lastID += 1
        return lastID
    }

    /// - Throws: `poolBusy` if too many wait already.
    mutating func wait(_ waiter: Waiter, id: UInt64) throws {
        guard waiters.count < waitingMax else { throw PostgresError.poolBusy(connectionsMax) }
        waiters.append((id, waiter))
    }

    /// The waiter that gives up; nil if it was served in the meantime.
    mutating func giveUp(id: UInt64) -> Waiter? {
        guard let place = waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return waiters.remove(at: place).waiter
    }

    mutating func opened() {
        opening -= 1
        busy += 1
    }

    /// - Returns: who may try instead.
    mutating func openFailed() -> (Waiter, Grant)? {
        opening -= 1
        return offerRoom()
    }

    /// Takes back a leased connection; nil if it was closed.
    ///
    /// - Returns: who gets it, or the room that it leaves.
    mutating func putBack(_ connection: Connection?) -> (Waiter, Grant)? {
        busy -= 1
        guard let connection, !isClosed else {
            connection?.close()
            return offerRoom()
        }
        guard !waiters.isEmpty else {
            idle.append(connection)
            return nil
        }
        busy += 1
        return (waiters.removeFirst().waiter, .use(connection))
    }

    private mutating func offerRoom() -> (Waiter, Grant)? {
        guard !waiters.isEmpty, !isClosed, busy + opening < connectionsMax else { return nil }
        opening += 1
        return (waiters.removeFirst().waiter, .open)
    }

    /// Forgets idle connections that ended by themselves.
    mutating func sweep() { idle.removeAll { !$0.isLive } }

    /// - Returns: who has to be told, and what has to be closed.
    mutating func close() -> (waiters: [Waiter], idle: [Connection]) {
        isClosed = true
        defer { (waiters, idle) = ([], []) }
        return (waiters.map(\.waiter), idle)
    }
}

extension PostgresError {
    static var poolClosed: PostgresError {
        PostgresError(.closed, "the database pool is closed: the program is stopping")
    }

    static func poolBusy(_ connectionsMax: Int) -> PostgresError {
        PostgresError(.poolBusy, "all \(connectionsMax) database connections are busy: try again in a moment")
    }
}

package import Logging
import Synchronization

/// A bounded set of connections to one PostgreSQL, leased for a statement or a transaction at a time.
///
/// Connections are opened when they are needed, replaced when they break, and rolled back or closed when they come back
/// inside a transaction. While the server is away, a task that needs a connection tries again with growing pauses until
/// `leaseTimeout`. A statement outside a transaction is never sent twice.
package final class PostgresPool: Sendable {
    let configuration: PostgresConfiguration
    let logger: Logger
    private let state: Mutex<PoolState>
    private let counters = Mutex(PoolCounters())

    private init(_ configuration: PostgresConfiguration, _ logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        state = Mutex(PoolState(connectionsMax: configuration.connectionsMax, waitingMax: configuration.waitingMax))
    }

    /// Opens a pool and its first connection.
    ///
    /// - Throws: `connectionFailed` with libpq's reason if no connection comes about within `leaseTimeout`; a wrong
    ///   role, password or database is reported at once.
    package static func open(_ configuration: PostgresConfiguration, logger: Logger) async throws -> PostgresPool {
        let pool = PostgresPool(configuration, logger)
        let lease = try await pool.lease()
        await pool.release(lease)
        return pool
    }

    /// Closes the pool: who waits is refused, idle connections end now, leased ones when they come back.
    ///
    /// Returns once all connections that were idle have told the server.
    package func close() async {
        let (waiters, idle) = state.withLock { $0.close() }
        for waiter in waiters { waiter.resume(throwing: PostgresError.poolClosed) }
        for connection in idle { await connection.closeAndWait() }
    }

    /// Runs a statement on any connection.
    ///
    /// - Throws: `PostgresError`; `CancellationError` if the task was cancelled, the statement with it.
    package func query(_ query: Query) async throws -> [Row] { try await withSession { try await $0.query(query) } }

    /// Runs a statement on any connection.
    ///
    /// - Returns: how many rows it changed.
    package func execute(_ query: Query) async throws -> Int { try await withSession { try await $0.execute(query) } }

    /// Leases one connection for the length of `body`, for what belongs to a session, such as advisory locks.
    ///
    /// If `body` throws, the connection is closed, so that no state of the session outlives it.
    package func withConnection<Answer>(_ body: (PostgresSession) async throws -> Answer) async throws -> Answer {
        try await withSession { session in
            do { return try await body(session) } catch {
                session.close()
                throw error
            }
        }
    }

    /// Numbers of this moment, and counts since the start.
    package var figures: PoolFigures {
        let counters = counters.withLock { $0 }
        return state.withLock { state in
            state.sweep()
            return PoolFigures(
                busy: state.busy, idle: state.idleCount, opening: state.opening, waiting: state.waitingCount,
                connectionsMax: configuration.connectionsMax, counters: counters)
        }
    }

    func withSession<Answer>(_ body: (PostgresSession) async throws -> Answer) async throws -> Answer {
        let session = try await counted { PostgresSession(try await lease()) }
        do {
            let answer = try await counted { try await body(session) }
            if let connection = session.end() { await release(connection) }
            return answer
        } catch {
            if let connection = session.end() { await release(connection) }
            throw error
        }
    }

    func noteRetry() { counters.withLock { $0.retries += 1 } }

    private func counted<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        do { return try await body() } catch let error as PostgresError {
            counters.withLock { $0.errors[error.figure, default: 0] += 1 }
            throw error
        }
    }
}

// MARK: Leases

extension PostgresPool {
    private func lease() async throws -> Connection {
        let deadline = ContinuousClock.now + configuration.leaseTimeout
        let grant = try await grant(until: deadline)
        counters.withLock { $0.leases += 1 }
        switch grant {
        case .use(let connection): return connection
        case .open: return try await open(until: deadline)
        }
    }

    private func grant(until deadline: ContinuousClock.Instant) async throws -> PoolState.Grant {
        try Task.checkCancellation()
        if let grant = try state.withLock({ try $0.ask() }) { return grant }
        let id = state.withLock { $0.newID() }
        let timer = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            giveUp(id, PostgresError.poolBusy(configuration.connectionsMax))
        }
        defer { timer.cancel() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { enqueue($0, id) }
        } onCancel: {
            giveUp(id, CancellationError())
        }
    }

    private func enqueue(_ waiter: PoolState.Waiter, _ id: UInt64) {
        do {
            // Asked again under the lock that queues: a connection may have come back since.
            let grant = try state.withLock { state -> PoolState.Grant? in
                if let grant = try state.ask() { return grant }
                try state.wait(waiter, id: id)
                return nil
            }
            if let grant { waiter.resume(returning: grant) }
        } catch { waiter.resume(throwing: error) }
        // A cancellation that came before the waiter stood in the queue found nobody.
        if Task.isCancelled { giveUp(id, CancellationError()) }
    }

    private func giveUp(_ id: UInt64, _ error: any Error) {
        state.withLock { $0.giveUp(id: id) }?.resume(throwing: error)
    }

    private func open(until deadline: ContinuousClock.Instant) async throws -> Connection {
        var backoff = Backoff(first: .milliseconds(50), most: .seconds(1))
        while true {
            do {
                let connection = try await Connection.open(configuration, onEnd: { [weak self] in self?.sweep() })
                state.withLock { $0.opened() }
                return connection
            } catch {
                let pause = backoff.next()
                guard (error as? PostgresError)?.canReconnect == true, ContinuousClock.now + pause < deadline,
                    !state.withLock({ $0.isClosed }), (try? await Task.sleep(for: pause)) != nil
                else {
                    hand(state.withLock { $0.openFailed() })
                    throw Task.isCancelled ? CancellationError() : error
                }
            }
        }
    }

    private func release(_ connection: Connection) async {
        if connection.isReusable, connection.transaction != .idle {
            do { _ = try await connection.run(.script("ROLLBACK"), isCancellable: false) } catch {
                logger.debug("a connection could not be rolled back and is closed", metadata: ["error": "\(error)"])
                connection.close()
            }
        }
        let isKept = connection.isReusable && connection.transaction == .idle
        if !isKept { connection.close() }
        hand(state.withLock { $0.putBack(isKept ? connection : nil) })
    }

    private func hand(_ next: (PoolState.Waiter, PoolState.Grant)?) {
        if let (waiter, grant) = next { waiter.resume(returning: grant) }
    }

    private func sweep() { state.withLock { $0.sweep() } }
}

import CLibpq

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A libpq connection, used by one thread only, the one that made it. Never blocks longer than its deadlines, but for
/// name look-up while connecting and for sending a cancel request (both bounded by the system's own limits).
final class Wire {
    /// How long a statement may go on after its cancel request, before the connection is given up.
    private static let cancelGrace: Duration = .seconds(2)

    private let configuration: PostgresConfiguration
    private let pipe: WakePipe
    private var connection: OpaquePointer?
    private var statements: StatementCache
    /// False once the connection broke.
    private(set) var isUsable = true
    /// True if the connection works but should end with its lease: a late cancel request could hit the next statement.
    private(set) var mustRetire = false

    init(_ configuration: PostgresConfiguration, pipe: WakePipe) {
        self.configuration = configuration
        self.pipe = pipe
        statements = StatementCache(countMax: configuration.statementsMax)
    }

    deinit { finish() }

    /// Says goodbye to the server and frees everything; may be called twice.
    func finish() {
        isUsable = false
        if let connection { PQfinish(connection) }
        connection = nil
    }

    var transaction: TransactionStatus {
        switch connection.map({ PQtransactionStatus($0) }) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_INTRANS: .open
        default: .failed
        }
    }

    // MARK: Connecting

    /// - Throws: `connectionFailed`, or `CancellationError`.
    func connect(_ cancellation: CancelFlag) throws {
        let deadline = ContinuousClock.now + configuration.connectTimeout
        connection = start()
        guard let connection else { throw PostgresError.unreachable("out of memory") }
        var step = PGRES_POLLING_WRITING
        while step != PGRES_POLLING_OK {
            guard PQstatus(connection) != CONNECTION_BAD, step != PGRES_POLLING_FAILED else { throw connectError() }
            if cancellation.isRaised { throw CancellationError() }
            guard ContinuousClock.now < deadline else {
                throw PostgresError.unreachable("no answer within \(configuration.connectTimeout)")
            }
            let polled = poll(step == PGRES_POLLING_READING ? POLLIN : POLLOUT, until: deadline)
            if polled.isSocketReady { step = PQconnectPoll(connection) }
        }
        PQsetNoticeReceiver(connection, { _, _ in }, nil)
        PQsetnonblocking(connection, 1)
        do { _ = try collect(send(script: configuration.sessionScript), deadline, nil) } catch let error
            as PostgresError
        {
            throw PostgresError.unreachable(error.serverMessage, sqlState: error.sqlState)
        }
    }

    private func start() -> OpaquePointer? {
        let names = configuration.keywords.map { strdup($0.name) }
        let values = configuration.keywords.map { strdup($0.value) }
        defer { for text in names + values { free(text) } }
        let nameList = names.map { UnsafePointer($0) } + [nil]
        let valueList = values.map { UnsafePointer($0) } + [nil]
        return PQconnectStartParams(nameList, valueList, 1)
    }

    /// libpq keeps no SQLSTATE of a refused connection; the sentences of a wrong role, password or database are fixed.
    private func connectError() -> PostgresError {
        let message = connection.map { String(cString: PQerrorMessage($0)) } ?? ""
        let state: String? =
            if message.contains("authentication failed") || message.contains("no password supplied")
                || message.contains("no pg_hba.conf entry") || message.contains("role \"")
            {
                "28000"
            } else if message.contains("database \"") && message.contains("does not exist") {
                "3D000"
            } else {
                nil
            }
        return .unreachable(message, sqlState: state)
    }

    // MARK: Statements

    /// Runs one job to its end.
    ///
    /// - Throws: `PostgresError`, or `CancellationError` if the job was cancelled.
    func run(_ job: Job) throws -> PostgresResult {
        if job.cancellation?.isRaised == true { throw CancellationError() }
        switch job.command {
        case .script(let text):
            return try collect(send(script: text), job.deadline, job.cancellation)
        case .query(let query):
            do { return try run(query, job) } catch let error as PostgresError where isStale(error) {
                // A migration changed a table under a prepared statement. Outside a transaction nothing was lost.
                guard transaction == .idle else {
                    mustRetire = true
                    throw error
                }
                statements.dropAll()
                _ = try collect(send(script: "DEALLOCATE ALL"), job.deadline, nil)
                return try run(query, job)
            }
        }
    }

    private func isStale(_ error: PostgresError) -> Bool {
        error.sqlState == SQLState.undefinedStatement
            || error.sqlState == SQLState.featureNotSupported && error.serverMessage.contains("cached plan")
    }

    private func run(_ query: Query, _ job: Job) throws -> PostgresResult {
        let packed = try PackedParameters(query.parameters)
        let name = try preparedName(of: query.sql, job)
        let isSent = packed.withPointers { values, lengths, formats in
            PQsendQueryPrepared(connection, name, Int32(query.parameters.count), values, lengths, formats, 0) == 1
        }
        return try collect(isSent, job.deadline, job.cancellation)
    }

    private func preparedName(of sql: String, _ job: Job) throws -> String {
        if let name = statements.name(of: sql) { return name }
        if statements.isFull, transaction != .failed, let oldest = statements.dropOldest() {
            _ = try collect(send(script: "DEALLOCATE \(oldest)"), job.deadline, nil)
        }
        let name = statements.newName()
        _ = try collect(PQsendPrepare(connection, name, sql, 0, nil) == 1, job.deadline, job.cancellation)
        statements.keep(name, for: sql)
        return name
    }

    private func send(script: String) -> Bool { PQsendQuery(connection, script) == 1 }

    /// Waits for all answers to what was sent.
    ///
    /// - Returns: the last one.
    private func collect(
        _ isSent: Bool, _ deadline: ContinuousClock.Instant?, _ cancellation: CancelFlag?
    ) throws -> PostgresResult {
        guard isSent else { throw broken(message) }
        var last: PostgresResult?
        var failure: PostgresError?
        var cancelling: ContinuousClock.Instant?
        while true {
            try waitForAnswer(deadline, cancellation, &cancelling)
            guard let pointer = PQgetResult(connection) else { break }
            let result = PostgresResult(pointer)
            switch PQresultStatus(pointer) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: last = result
            case PGRES_FATAL_ERROR: failure = failure ?? result.error
            default: throw broken("a kind of answer that this client does not use")
            }
        }
        guard PQstatus(connection) == CONNECTION_OK else {
            throw broken(failure?.serverMessage ?? message, sqlState: failure?.sqlState)
        }
        if let failure { throw settled(failure, wasCancelled: cancelling != nil) }
        if cancelling != nil { mustRetire = true }
        guard let last else { throw broken("no answer to a statement") }
        return last
    }

    private func settled(_ failure: PostgresError, wasCancelled: Bool) -> any Error {
        guard wasCancelled else { return failure }
        if failure.sqlState == SQLState.queryCanceled { return CancellationError() }
        mustRetire = true
        return failure
    }

    /// Sends what is left to send and reads until an answer is complete, a deadline passes or the connection breaks.
    private func waitForAnswer(
        _ deadline: ContinuousClock.Instant?, _ cancellation: CancelFlag?, _ cancelling: inout ContinuousClock.Instant?
    ) throws {
        while true {
            let isFlushing = PQflush(connection) == 1
            if !isFlushing, PQisBusy(connection) == 0 { return }
            if cancelling == nil, cancellation?.isRaised == true {
                sendCancelRequest()
                cancelling = .now + Self.cancelGrace
            }
            let limit = [deadline, cancelling].compactMap(\.self).min()
            if let limit, ContinuousClock.now >= limit {
                let error = broken("the server did not answer in time")
                throw cancelling == nil ? error : CancellationError()
            }
            let polled = poll(isFlushing ? POLLIN | POLLOUT : POLLIN, until: limit)
            // After a failed read PQgetResult reports what happened, the server's last words included.
            if polled.isReadable, PQconsumeInput(connection) == 0 { return }
        }
    }

    private func sendCancelRequest() {
        guard let request = PQgetCancel(connection) else { return }
        defer { PQfreeCancel(request) }
        var words = [CChar](repeating: 0, count: 256)
        // If this fails, `cancelGrace` ends the connection instead.
        _ = PQcancel(request, &words, Int32(words.count))
    }

    private var message: String { connection.map { String(cString: PQerrorMessage($0)) } ?? "it is closed" }

    private func broken(_ message: String, sqlState: String? = nil) -> PostgresError {
        isUsable = false
        return .lost(message, sqlState: sqlState)
    }

    // MARK: Between statements

    /// Waits for a job, a notification, or the end of the connection.
    func waitWhileIdle() {
        let polled = poll(POLLIN, until: nil)
        guard polled.isReadable else { return }
        // PQisBusy parses what came, as it may be the server's last words while no statement runs.
        if PQconsumeInput(connection) == 0 || PQstatus(connection) != CONNECTION_OK { isUsable = false }
    }

    func takeNotifications(_ body: (Connection.Notification) -> Void) {
        guard isUsable else { return }
        while let notify = PQnotifies(connection) {
            body(
                .init(channel: String(cString: notify.pointee.relname), payload: String(cString: notify.pointee.extra)))
            PQfreemem(notify)
        }
    }

    /// Waits for the socket or a wake-up. A wake-up returns with both properties false.
    private func poll(
        _ events: Int32, until deadline: ContinuousClock.Instant?
    ) -> (isReadable: Bool, isSocketReady: Bool) {
        var watched = (
            pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0),
            pollfd(fd: pipe.reader, events: Int16(POLLIN), revents: 0)
        )
        let milliseconds = deadline.map { max(0, ContinuousClock.now.duration(to: $0).milliseconds) } ?? -1
        let count = withUnsafeMutableBytes(of: &watched) { bytes in
            systemPoll(bytes.assumingMemoryBound(to: pollfd.self), Int32(clamping: milliseconds))
        }
        guard count > 0 else { return (false, false) }
        if watched.1.revents != 0 { pipe.drain() }
        let ready = Int32(watched.0.revents)
        return (ready & ~POLLOUT != 0, ready != 0)
    }
}

private func systemPoll(_ watched: UnsafeMutableBufferPointer<pollfd>, _ milliseconds: Int32) -> Int32 {
    poll(watched.baseAddress, nfds_t(watched.count), milliseconds)
}

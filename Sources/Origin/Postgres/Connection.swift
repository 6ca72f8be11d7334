#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One connection to PostgreSQL, run by a thread of its own.
///
/// A thread a connection is the simplest thing that is right: libpq wants one user at a time and may block (name
/// look-up, TLS, sending a cancel request), the thread polls the socket beside a wake-up pipe and so sees a cancelled
/// task, a passed deadline, a notification and a server that went away while nothing was asked. Connections are few
/// (16 a replica), so threads are too; a statement costs two hand-overs of some microseconds. NIO has no door for
/// watching a socket that another library owns.
final class Connection: Sendable {
    /// A `NOTIFY` that reached this connection.
    struct Notification: Sendable {
        let channel: String
        let payload: String
    }

    private let mailbox: Mailbox
    private let configuration: PostgresConfiguration
    private let openedAt = ContinuousClock.now

    private init(mailbox: Mailbox, configuration: PostgresConfiguration) {
        self.mailbox = mailbox
        self.configuration = configuration
    }

    deinit { mailbox.close() }

    /// Connects.
    ///
    /// - Parameters:
    ///   - onNotification: called on the connection's thread; must not block.
    ///   - onEnd: called once, on the thread, when a connection that was made is gone for whatever reason.
    static func open(
        _ configuration: PostgresConfiguration, onNotification: @escaping @Sendable (Notification) -> Void = { _ in },
        onEnd: @escaping @Sendable () -> Void = {}
    ) async throws -> Connection {
        try Task.checkCancellation()
        let mailbox = try Mailbox()
        let cancellation = CancelFlag()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (connected: CheckedContinuation<Void, any Error>) in
                do {
                    try startThread {
                        run(
                            Wire(configuration, pipe: mailbox.pipe), mailbox, cancellation, connected,
                            onNotification, onEnd)
                    }
                } catch { connected.resume(throwing: error) }
            }
        } onCancel: {
            cancellation.raise()
            mailbox.pipe.signal()
        }
        return Connection(mailbox: mailbox, configuration: configuration)
    }

    /// Runs a command and returns its answer.
    ///
    /// - Parameter isCancellable: if true, cancelling the task cancels the statement at the server, or closes the
    ///   connection if the server does not react; the error is `CancellationError`.
    func run(_ command: Job.Command, isCancellable: Bool = true) async throws -> PostgresResult {
        let cancellation = isCancellable ? CancelFlag() : nil
        let deadline = configuration.answerDeadline(from: .now)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { reply in
                let job = Job(command: command, cancellation: cancellation, deadline: deadline, reply: reply)
                if !mailbox.post(job) {
                    reply.resume(throwing: PostgresError.lost("it ended before the statement was sent"))
                }
            }
        } onCancel: {
            cancellation?.raise()
            mailbox.pipe.signal()
        }
    }

    var transaction: TransactionStatus { mailbox.transaction }

    /// True while statements can be sent, as far as the thread has noticed.
    var isLive: Bool { mailbox.isLive }

    /// True if another lease may use it.
    var isReusable: Bool {
        mailbox.isLive && !mailbox.mustRetire && openedAt.duration(to: .now) < configuration.connectionAgeMax
    }

    /// Ends the connection after the statement that runs; does not wait.
    func close() { mailbox.close() }

    /// Ends the connection and returns once the server was told.
    func closeAndWait() async {
        mailbox.close()
        await mailbox.waitForEnd()
    }

    /// The thread's whole life.
    private static func run(
        _ wire: Wire, _ mailbox: Mailbox, _ cancellation: CancelFlag, _ connected: CheckedContinuation<Void, any Error>,
        _ onNotification: (Notification) -> Void, _ onEnd: () -> Void
    ) {
        do { try wire.connect(cancellation) } catch {
            wire.finish()
            mailbox.end()
            connected.resume(throwing: error)
            return
        }
        connected.resume()
        while wire.isUsable, !mailbox.isClosing {
            if let job = mailbox.take() {
                serve(job, wire, mailbox)
            } else {
                wire.waitWhileIdle()
            }
            wire.takeNotifications(onNotification)
        }
        wire.finish()
        mailbox.end()
        onEnd()
    }

    private static func serve(_ job: Job, _ wire: Wire, _ mailbox: Mailbox) {
        let answer = Result { try wire.run(job) }
        mailbox.note(wire.transaction, mustRetire: wire.mustRetire)
        // A connection that broke must not look live to who reads the answer.
        if !wire.isUsable { mailbox.close() }
        job.reply.resume(with: answer)
    }
}

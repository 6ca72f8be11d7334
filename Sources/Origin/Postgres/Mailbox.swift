import Synchronization

/// A statement on its way to a connection's thread, and whom to answer.
struct Job: Sendable {
    enum Command: Sendable {
        /// One statement, prepared and kept.
        case query(Query)
        /// Any number of statements without parameters; the answer is that of the last.
        case script(String)
    }

    let command: Command
    /// Set when the task that waits was cancelled; nil where the answer must be waited for, as for COMMIT.
    let cancellation: CancelFlag?
    let deadline: ContinuousClock.Instant?
    let reply: CheckedContinuation<PostgresResult, any Error>
}

/// A flag that a task raises and a thread sees.
final class CancelFlag: Sendable {
    private let flag = Atomic(false)

    var isRaised: Bool { flag.load(ordering: .acquiring) }

    func raise() { flag.store(true, ordering: .releasing) }
}

/// Where a connection stands between statements.
enum TransactionStatus: Sendable {
    case idle
    case open
    /// In a failed or unknown state: only ROLLBACK, or closing, helps.
    case failed
}

/// What tasks and a connection's thread share: the jobs that wait, and what is known of the connection.
final class Mailbox: Sendable {
    private struct State {
        var jobs: [Job] = []
        var isClosing = false
        var hasEnded = false
        var mustRetire = false
        var transaction: TransactionStatus = .idle
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    let pipe: WakePipe
    private let state = Mutex(State())

    init() throws { pipe = try WakePipe() }

    /// - Returns: false if the thread has ended; then nobody will answer the job.
    func post(_ job: Job) -> Bool {
        let isAccepted = state.withLock { state in
            guard !state.hasEnded, !state.isClosing else { return false }
            state.jobs.append(job)
            return true
        }
        pipe.signal()
        return isAccepted
    }

    /// The next job, or nil if there is none now.
    func take() -> Job? { state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() } }

    func close() {
        state.withLock { $0.isClosing = true }
        pipe.signal()
    }

    var isClosing: Bool { state.withLock { $0.isClosing } }

    /// True while statements can be sent.
    var isLive: Bool { state.withLock { !$0.hasEnded && !$0.isClosing } }

    /// True if the connection should not serve another lease.
    var mustRetire: Bool { state.withLock { $0.mustRetire } }

    var transaction: TransactionStatus { state.withLock { $0.transaction } }

    /// Called by the thread after each statement, before its answer is handed over.
    func note(_ transaction: TransactionStatus, mustRetire: Bool) {
        state.withLock {
            $0.transaction = transaction
            $0.mustRetire = mustRetire
        }
    }

    /// Called by the thread as its last act: who still waits is told that the connection is gone.
    func end() {
        let (jobs, waiting) = state.withLock { state in
            state.hasEnded = true
            defer { (state.jobs, state.waitingForEnd) = ([], []) }
            return (state.jobs, state.waitingForEnd)
        }
        for job in jobs { job.reply.resume(throwing: PostgresError.lost("it ended before the statement was sent")) }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns once the thread has ended and the server was told.
    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waitingForEnd.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }
}

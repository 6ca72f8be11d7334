import EdgeCache
import Registry
import Synchronization

/// The cache that all parts of the edge share: a lock around `CacheCore`, and the tasks that fetch for it.
///
/// Fetches belong to the edge and not to a client: they go on when every client has left.
final class CacheDesk: Sendable {
    private let state: Mutex<DeskBook<CheckedContinuation<Finding, Never>>>
    private let now: @Sendable () -> Moment
    private let fetch: @Sendable (FetchTicket) async -> FetchAnswer

    init(
        core: CacheCore, now: @escaping @Sendable () -> Moment,
        fetch: @escaping @Sendable (FetchTicket) async -> FetchAnswer
    ) {
        state = Mutex(DeskBook(core: core))
        self.now = now
        self.fetch = fetch
    }

    /// One step on the core, with the time at which it is taken. Must be short: clients wait for the lock.
    func withCore<Result>(_ step: (inout CacheCore, Moment) -> sending Result) -> sending Result {
        // The clock is read inside, so that no step is taken with an older time than the step before.
        state.withLock { step(&$0.core, now()) }
    }

    /// Asks the cache, and the origin if need be.
    func ask(_ question: CacheQuestion) async -> Finding {
        await withCheckedContinuation { waiter in
            let (finding, started) = state.withLock { $0.ask(question, waiter, at: now()) }
            if let finding { waiter.resume(returning: finding) }
            if let started { run(started) }
        }
    }

    /// Runs a fetch that the core asked for.
    func run(_ ticket: FetchTicket) {
        Task {
            var ticket = ticket
            while true {
                let answer = await fetch(ticket)
                let (next, answers) = state.withLock { $0.finished(ticket.id, answer, at: now()) }
                for (waiter, finding) in answers { waiter.resume(returning: finding) }
                guard let next else { return }
                ticket = next
            }
        }
    }
}

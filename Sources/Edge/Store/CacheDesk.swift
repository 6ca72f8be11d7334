import EdgeCache
import Registry
import Synchronization

/// The cache that all parts of the edge share: a lock around `CacheCore`, and the tasks that fetch for it.
///
/// Fetches belong to the edge and not to a client: they go on when every client has left.
final class CacheDesk: Sendable {
    private typealias Book = DeskBook<CheckedContinuation<Finding, Never>>

    /// A burst is over when nothing more came for so long; that is added to the first question for names not known.
    private static let gatherTime: Duration = .milliseconds(2)
    /// However long a burst goes on.
    private static let gatherRoundsMax = 5
    /// So long a blind edge waits for its origin while it has something to serve: packets that vanish on the way say
    /// nothing, and cargo would wait for each of its rounds.
    private static let blindWaitMax: Duration = .seconds(1)

    private let state: Mutex<Book>
    private let now: @Sendable () -> Moment
    private let fetch: @Sendable (FetchTicket) async -> FetchAnswer
    private let fill: @Sendable (FillTicket, CacheDesk) async -> FillFailure?

    /// - Parameters:
    ///   - fill: reports to `announced` and `filled` while it runs.
    init(
        core: CacheCore, now: @escaping @Sendable () -> Moment,
        fill: @escaping @Sendable (FillTicket, CacheDesk) async -> FillFailure?,
        fetch: @escaping @Sendable (FetchTicket) async -> FetchAnswer
    ) {
        state = Mutex(Book(core: core))
        self.now = now
        self.fetch = fetch
        self.fill = fill
    }

    /// One step on the core, with the time at which it is taken. Must be short: clients wait for the lock.
    func withCore<Result>(_ step: (inout CacheCore, Moment) -> sending Result) -> sending Result {
        // The clock is read inside, so that no step is taken with an older time than the step before.
        state.withLock { step(&$0.core, now()) }
    }

    /// Asks the cache, and the origin if need be.
    func ask(_ question: CacheQuestion) async -> Finding {
        await withCheckedContinuation { waiter in
            let step = state.withLock { $0.ask(question, waiter, at: now()) }
            if let finding = step.finding { waiter.resume(returning: finding) }
            if let started = step.started { run(started) }
            if let repository = step.gatheringBegins { gather(in: repository) }
            if let place = step.mayGiveUp { giveUp(place) }
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

    /// What the list of a fill's answer says.
    func announced(_ fill: FillTicket, _ items: [FillItem], position: UInt64) -> FillFigures {
        let (ends, figures) = withCore { $0.announced(fill.id, items, position: position, at: $1) }
        ends.forEach(conclude)
        sendGathered(in: fill.repository)
        return figures
    }

    /// A file of a fill's answer.
    ///
    /// - Returns: false if the cache had no use for it.
    func filled(_ fill: UInt64, _ key: CacheKey, _ value: CachedValue) -> Bool {
        guard let end = withCore({ $0.filled(fill, key, value, at: $1) }) else { return false }
        conclude(end)
        if case .value = end.outcome { return true }
        return false
    }

    private func giveUp(_ place: Book.Place) {
        Task {
            // Never cancelled: nobody holds this task.
            try? await Task.sleep(for: Self.blindWaitMax)
            let answer = state.withLock { $0.gaveUp(place, at: now()) }
            if let answer { answer.waiter.resume(returning: answer.finding) }
        }
    }

    /// Waits a moment for the rest of a burst, so that one question speaks for all of it.
    private func gather(in repository: RepositoryName) {
        Task {
            var count = 0
            for _ in 0..<Self.gatherRoundsMax {
                try? await Task.sleep(for: Self.gatherTime)
                let now = state.withLock { $0.gathered(in: repository) }
                if now == count { break }
                count = now
            }
            sendGathered(in: repository)
        }
    }

    private func sendGathered(in repository: RepositoryName) {
        for ticket in state.withLock({ $0.takeGathered(in: repository) }) { Task { await run(ticket) } }
    }

    private func run(_ ticket: FillTicket) async {
        let failure = await fill(ticket, self)
        withCore { $0.fillEnded(ticket.id, failure, at: $1) }.forEach(conclude)
        sendGathered(in: ticket.repository)
    }

    private func conclude(_ end: FillEnd) {
        let (next, answers) = state.withLock { $0.ended(end, at: now()) }
        for (waiter, finding) in answers { waiter.resume(returning: finding) }
        if let next { run(next) }
    }
}

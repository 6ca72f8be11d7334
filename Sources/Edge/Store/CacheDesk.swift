import EdgeCache
import Registry
import Synchronization

/// How a question to the cache ended.
enum Finding: Sendable {
    /// Held and current.
    case hit(CachedValue)
    /// The origin said so just now.
    case miss(CachedValue)
    /// Held, and nobody can say whether it is current.
    case stale(CachedValue)
    /// Nothing that may be served, and the origin gave no usable answer: 503.
    case unavailable
}

/// The cache that all parts of the edge share: a lock around `CacheCore`, and the tasks that fetch for it.
///
/// Fetches belong to the edge and not to a client: they go on when every client has left.
final class CacheDesk: Sendable {
    private enum End: Sendable {
        case value(CachedValue)
        case failed
    }

    private struct State {
        var core: CacheCore
        var waiting: [UInt64: [CheckedContinuation<End, Never>]] = [:]
    }

    private let state: Mutex<State>
    private let now: @Sendable () -> Moment
    private let fetch: @Sendable (FetchTicket) async -> FetchAnswer

    init(
        core: CacheCore, now: @escaping @Sendable () -> Moment,
        fetch: @escaping @Sendable (FetchTicket) async -> FetchAnswer
    ) {
        state = Mutex(State(core: core))
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
        var started: FetchTicket?
        var held: Finding?
        let end: End = await withCheckedContinuation { waiter in
            held = state.withLock { state in
                switch state.core.ask(question, at: now()) {
                case .serve(let value): return .hit(value)
                case .serveStale(let value): return .stale(value)
                case .refuse: return .unavailable
                case .join(let id):
                    state.waiting[id, default: []].append(waiter)
                    return nil
                case .start(let ticket):
                    state.waiting[ticket.id, default: []].append(waiter)
                    started = ticket
                    return nil
                }
            }
            if held != nil { waiter.resume(returning: .failed) }
            if let started { run(started) }
        }
        if let held { return held }
        switch end {
        case .value(let value): return .miss(value)
        case .failed: return withCore { $0.fallback(for: question, at: $1) }.map(Finding.stale) ?? .unavailable
        }
    }

    /// Runs a fetch that the core asked for.
    func run(_ ticket: FetchTicket) {
        Task {
            var ticket = ticket
            while true {
                let answer = await fetch(ticket)
                let (next, end, waiters) = finished(ticket, answer)
                guard let next else {
                    waiters.forEach { $0.resume(returning: end) }
                    return
                }
                ticket = next
            }
        }
    }

    private func finished(
        _ ticket: FetchTicket, _ answer: FetchAnswer
    ) -> (next: FetchTicket?, end: End, waiters: [CheckedContinuation<End, Never>]) {
        state.withLock { state in
            switch state.core.finished(ticket.id, answer, at: now()) {
            case .again(let next): (next, .failed, [])
            case .value(let value): (nil, .value(value), state.waiting.removeValue(forKey: ticket.id) ?? [])
            case .failed: (nil, .failed, state.waiting.removeValue(forKey: ticket.id) ?? [])
            }
        }
    }
}

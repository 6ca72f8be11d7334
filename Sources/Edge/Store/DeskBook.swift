import EdgeCache

/// The cache and those who wait for its fetches. Pure: a waiter is whatever the owner can answer later.
struct DeskBook<Waiter: Sendable>: Sendable {
    var core: CacheCore
    private var waiting: [UInt64: [(waiter: Waiter, question: CacheQuestion)]] = [:]

    init(core: CacheCore) { self.core = core }

    /// - Returns: the answer if there is one at once, else the waiter's turn comes with `finished`; and the fetch to
    ///   run, if nobody runs it yet.
    mutating func ask(
        _ question: CacheQuestion, _ waiter: Waiter, at now: Moment
    ) -> (finding: Finding?, started: FetchTicket?) {
        switch core.ask(question, at: now) {
        case .serve(let value): return (.hit(value), nil)
        case .serveStale(let value): return (.stale(value), nil)
        case .refuse: return (.unavailable, nil)
        case .join(let id):
            waiting[id, default: []].append((waiter, question))
            return (nil, nil)
        case .start(let ticket):
            waiting[ticket.id, default: []].append((waiter, question))
            return (nil, ticket)
        }
    }

    /// - Returns: the fetch to run again, or the answers to all who waited.
    mutating func finished(
        _ id: UInt64, _ answer: FetchAnswer, at now: Moment
    ) -> (next: FetchTicket?, answers: [(waiter: Waiter, finding: Finding)]) {
        switch core.finished(id, answer, at: now) {
        case .again(let next): return (next, [])
        case .value(let value):
            return (nil, take(id).map { ($0.waiter, .miss(value)) })
        case .failed:
            return (
                nil,
                take(id).map { waiter, question in
                    (waiter, core.fallback(for: question, at: now).map(Finding.stale) ?? .unavailable)
                }
            )
        }
    }

    private mutating func take(_ id: UInt64) -> [(waiter: Waiter, question: CacheQuestion)] {
        waiting.removeValue(forKey: id) ?? []
    }
}

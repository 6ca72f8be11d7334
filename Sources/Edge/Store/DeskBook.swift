import EdgeCache
import NIOCore
import Registry

/// The cache and those who wait for its fetches. Pure: a waiter is whatever the owner can answer later.
struct DeskBook<Waiter: Sendable>: Sendable {
    /// Where somebody waits, for `gaveUp`.
    struct Place: Sendable {
        fileprivate let fetch: UInt64
        fileprivate let number: UInt64
    }

    /// What the owner must do after a question.
    struct Step: Sendable {
        /// The answer, if there is one at once; else the waiter's turn comes later.
        var finding: Finding?
        /// The fetch to run, if nobody runs it yet.
        var started: FetchTicket?
        /// The first of a burst of names that are to be asked in one question: see `takeGathered`.
        var gatheringBegins: RepositoryName?
        /// Set if there is something to serve stale: nobody has to wait long for an origin that may be gone.
        var mayGiveUp: Place?
    }

    typealias Answers = [(waiter: Waiter, finding: Finding)]

    private struct Waiting: Sendable {
        let number: UInt64
        let waiter: Waiter
        let question: CacheQuestion
    }

    var core: CacheCore
    private var waiting: [UInt64: [Waiting]] = [:]
    /// Fetches that are about to leave together.
    private var gathering: [RepositoryName: [UInt64]] = [:]
    private var lastNumber: UInt64 = 0

    init(core: CacheCore) { self.core = core }

    mutating func ask(_ question: CacheQuestion, _ waiter: Waiter, at now: Moment) -> Step {
        var step = Step()
        switch core.ask(question, at: now) {
        case .serve(let value): step.finding = .hit(value)
        case .serveStale(let value): step.finding = .stale(value)
        case .refuse: step.finding = .unavailable(words: nil)
        case .join(let id):
            step.mayGiveUp = wait(waiter, question, for: id, at: now)
        case .start(let ticket):
            step.mayGiveUp = wait(waiter, question, for: ticket.id, at: now)
            step.started = ticket
        case .gather(let ticket):
            step.mayGiveUp = wait(waiter, question, for: ticket.id, at: now)
            guard let (repository, _) = EdgePath.index(String(buffer: ticket.key.bytes)) else {
                preconditionFailure("only canonical paths are asked")
            }
            if gathering[repository] == nil { step.gatheringBegins = repository }
            gathering[repository, default: []].append(ticket.id)
        }
        return step
    }

    /// - Returns: the fetch to run again, or the answers to all who waited.
    mutating func finished(
        _ id: UInt64, _ answer: FetchAnswer, at now: Moment
    ) -> (next: FetchTicket?, answers: Answers) {
        let words: String? = if case .failed(_, let words) = answer { words } else { nil }
        return conclude(id, core.finished(id, answer, at: now), words, at: now)
    }

    /// The same for a fetch that a fill has answered.
    mutating func ended(_ end: FillEnd, at now: Moment) -> (next: FetchTicket?, answers: Answers) {
        conclude(end.id, end.outcome, nil, at: now)
    }

    /// Somebody has waited long enough for an origin that says nothing.
    ///
    /// - Returns: what is left to serve; nil if the answer came in time, or nothing may be served.
    mutating func gaveUp(_ place: Place, at now: Moment) -> (waiter: Waiter, finding: Finding)? {
        guard let index = waiting[place.fetch]?.firstIndex(where: { $0.number == place.number }),
            let waiter = waiting[place.fetch]?[index], !core.isFresh(at: now),
            let held = core.fallback(for: waiter.question, at: now)
        else { return nil }
        waiting[place.fetch]?.remove(at: index)
        // Many give up in one moment: that is one failure. A download may be slow only because it is large.
        if waiter.question.kind != .crate, !core.isOriginSilent { core.originIsSilent(at: now) }
        return (waiter.waiter, .stale(held))
    }

    /// How many names of a repository wait for the rest of their burst.
    func gathered(in repository: RepositoryName) -> Int { gathering[repository]?.count ?? 0 }

    /// The questions that speak for a burst. While a list is under way the others wait for it: most of them will
    /// stand in it.
    mutating func takeGathered(in repository: RepositoryName) -> [FillTicket] {
        guard !core.awaitsList(of: repository), let ids = gathering.removeValue(forKey: repository) else { return [] }
        return stride(from: 0, to: ids.count, by: ClosureQuestion.rootsMax).compactMap { start in
            core.beginFill(Array(ids[start...].prefix(ClosureQuestion.rootsMax)), of: repository)
        }
    }

    private mutating func wait(
        _ waiter: Waiter, _ question: CacheQuestion, for fetch: UInt64, at now: Moment
    ) -> Place? {
        lastNumber += 1
        waiting[fetch, default: []].append(Waiting(number: lastNumber, waiter: waiter, question: question))
        let isWorthIt = !core.isFresh(at: now) && core.fallback(for: question, at: now) != nil
        return isWorthIt ? Place(fetch: fetch, number: lastNumber) : nil
    }

    private mutating func conclude(
        _ id: UInt64, _ outcome: FetchOutcome, _ words: String?, at now: Moment
    ) -> (next: FetchTicket?, answers: Answers) {
        switch outcome {
        case .again(let next): return (next, [])
        case .value(let value): return (nil, take(id).map { ($0.waiter, .miss(value)) })
        case .failed:
            let silence = Finding.unavailable(words: words)
            let answers = take(id).map { waiting in
                (waiting.waiter, core.fallback(for: waiting.question, at: now).map(Finding.stale) ?? silence)
            }
            return (nil, answers)
        }
    }

    private mutating func take(_ id: UInt64) -> [Waiting] { waiting.removeValue(forKey: id) ?? [] }
}

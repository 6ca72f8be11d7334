import NIOCore
import Registry

/// The rules of an edge's cache as a value: events in, verdicts out. No I/O, no clock, no tasks.
///
/// | situation                                            | verdict                              | invariant |
/// |------------------------------------------------------|--------------------------------------|-----------|
/// | held, verified, the edge is fresh, no newer witness  | serve                                | I5        |
/// | a fetch of the key is under way, or a fill brings it | join it                              |           |
/// | nothing is known of an index file's name             | gather it into a question for a closure |        |
/// | not held, not verified, not fresh, or newer witness  | start a fetch                        | I4, I5    |
/// | the origin is silent, held, the offline rule allows  | serve stale                          | I5        |
/// | the origin is silent, nothing held                   | refuse: 503, never 404               | I11       |
/// | no answer, while the edge is fresh                   | fetch again, for a while             | I11       |
/// | an answer from before a change that was applied      | fetch again, never stored or served  | I4        |
///
/// Tokens differ: a verdict counts for the token lease, fresh or not, and never longer (I7).
/// Source: design, "An edge's cache".
package struct CacheCore: Sendable {
    /// How much the core may hold and do at once.
    package struct Limits: Sendable {
        package var memoryBytesMax = 256 << 20
        package var fetchesMax = 4096
        package var rewarmsMax = 64
        package var attemptsMax = 5
        /// So long after its first loss a question that is lost on the way goes out again, if the edge is fresh. Who waits
        /// for it has waited for that loss already, and would not wait for many.
        package var againMax: Duration = .seconds(4)
        /// Asked for this often, an entry is fetched again as soon as it is replaced.
        package var hitsToRewarm: UInt8 = 2
        package var leaseTime: Duration = .seconds(5)
        package var tokenLease: Duration = .seconds(600)
        /// Questions for a closure that run at once; none unless set.
        package var fillsMax = 0
        /// How much of what is held a question for a closure may name.
        package var fillHeldMax = ClosureQuestion.heldMax
        /// An origin that does not know closures is not asked for one for so long.
        package var fillPause: Duration = .seconds(60)
        /// Names that are remembered without content.
        package var replacedMax = 4096

        package init() {}
    }

    let limits: Limits
    private let tokenLease: MomentSpan
    var entries: EntryTable
    var standing: FeedStanding
    /// Entries of an earlier epoch are not verified. Counts from 1.
    var epoch: UInt64
    var journal: CacheJournal
    /// Which signed URLs ended with their token.
    package internal(set) var ended: EndedSubjects
    var silence = OriginSilence()
    var fetches: [UInt64: Fetch] = [:]
    var flights: [CacheKey: UInt64] = [:]
    var lastFetch: UInt64 = 0
    var rewarms = 0
    var fills: [UInt64: Fill] = [:]
    var lastFill: UInt64 = 0
    var fillsPauseUntil: Moment?
    /// Names that an event dropped and nobody has asked for since.
    var replaced: Set<CacheKey> = []

    /// - Parameters:
    ///   - applied: the saved place in the feed; 0 for a cold start.
    ///   - epoch: as saved.
    ///   - ended: as saved; nil if an earlier version saved none: then nothing is known of tokens up to `applied`.
    package init(limits: Limits, applied: UInt64 = 0, epoch: UInt64 = 1, ended: EndedSubjects? = nil) {
        self.limits = limits
        tokenLease = MomentSpan(limits.tokenLease)
        self.epoch = max(1, epoch)
        self.ended = ended ?? EndedSubjects(floor: applied)
        entries = EntryTable(bytesMax: limits.memoryBytesMax)
        standing = FeedStanding(applied: applied, leaseTime: limits.leaseTime)
        journal = CacheJournal(applied: applied, epoch: self.epoch)
    }

    package var feed: FeedStanding { standing }
    package var bytes: Int { entries.bytes }
    package var count: Int { entries.count }
    /// Whether there is anything to serve: lists, tokens and the word that a file does not exist are nothing.
    package var holdsFiles: Bool { entries.files > 0 }
    package var fetchesRunning: Int { fetches.count }
    package var fillsRunning: Int { fills.count }

    /// Whether what is held may be called current (I5).
    package func isFresh(at now: Moment) -> Bool { standing.isFresh(at: now) }

    /// The hot path: what may be served at once, without a question to anybody.
    ///
    /// - Returns: nil if `ask` has to decide.
    package mutating func glance(_ key: CacheKey, at now: Moment) -> CachedValue? {
        key.bytes.withUnsafeReadableBytes { glance(bytes: $0, at: now) }
    }

    /// The same by the key's bytes wherever they lie.
    package mutating func glance(bytes key: UnsafeRawBufferPointer, at now: Moment) -> CachedValue? {
        let currency = currency(at: now)
        return entries.use(key) { currency.covers($0) }
    }

    /// The same for the list of repositories, which never makes room for anything and so needs no count of its uses.
    package func glanceList(at now: Moment) -> CachedValue? {
        let currency = currency(at: now)
        return entries.list { currency.covers($0) }
    }

    /// What to do about one client's question: serve, fetch, or wait for a fetch that runs.
    package mutating func ask(_ question: CacheQuestion, at now: Moment) -> CacheVerdict {
        let held = entries.use(question.key)
        if let held, isCurrent(held, witness: question.witness, at: now) { return .serve(held.value) }
        let isBlind = !isFresh(at: now)
        if let flight = flights[question.key] {
            fetches[flight]?.witness.raise(to: question.witness)
            fetches[flight]?.isAwaited = true
            // The question under way may be the one that waits for a dead origin; who can be served need not.
            if isBlind, silence.isOn, let held = fallback(for: question, at: now) { return .serveStale(held) }
            return .join(flight)
        }
        guard fetches.count < limits.fetchesMax, !isBlind || silence.mayAsk(at: now) else {
            return fallback(for: question, at: now).map(CacheVerdict.serveStale) ?? .refuse
        }
        let mayFill = mayFill(question, at: now)
        let ticket = begin(question, isRewarm: false)
        guard mayFill else { return .start(ticket) }
        fetches[ticket.id]?.isGathering = true
        return .gather(ticket)
    }

    /// What is held, current or not; does not count as use.
    package func held(_ key: CacheKey) -> CachedValue? { entries[key]?.value }

    /// Whether what every edge should hold is missing, or in doubt while the edge is fresh. A blind edge need not ask:
    /// the answer would be in doubt at once.
    package func lacks(_ key: CacheKey, at now: Moment) -> Bool {
        guard let held = entries[key] else { return true }
        return isFresh(at: now) && !isCurrent(held, witness: 0, at: now)
    }

    /// Drops an entry that turned out to be of no use here; the origin's word on it has not changed.
    package mutating func forget(_ key: CacheKey) {
        if entries.remove(key) != nil { journal.dropped(key) }
    }

    /// What a failed fetch leaves to one who waited for it.
    ///
    /// - Returns: nil if nothing held may be served: the client then gets a 503 and keeps its own copy.
    package func fallback(for question: CacheQuestion, at now: Moment) -> CachedValue? {
        guard let held = entries[question.key], question.witness <= held.value.generation else { return nil }
        if held.kind == .token { return now < held.verifiedAt + tokenLease ? held.value : nil }
        guard case .serveStale(let ageMax) = question.offline else { return nil }
        return now < currentUntil(held) + ageMax ? held.value : nil
    }

    /// Somebody has waited in vain: until the origin answers again, who can be served need not wait for it.
    package mutating func originIsSilent(at now: Moment) { silence.failed(at: now) }

    /// True from a question in vain to the origin's next answer.
    package var isOriginSilent: Bool { silence.isOn }

    /// Puts what the catalogue saved back; it counts as verified if nothing unknown happened since.
    ///
    /// - Parameter verifiedAt: before `now` by the time that the edge did not run.
    package mutating func restore(_ saved: SavedEntry, as value: CachedValue, verifiedAt: Moment) {
        // What was no longer verified when it was saved has an age that nobody knows: no offline rule can allow it.
        // The list of repositories may be of any age; without it no rule would be known, and no file served.
        let hasKnownAge = saved.epoch == epoch || saved.kind == .repositories
        let entry = CacheEntry(
            key: saved.key, kind: saved.kind, value: value, position: saved.position, epoch: saved.epoch,
            verifiedAt: hasKnownAge ? verifiedAt : .longAgo)
        entries.put(entry).forEach { journal.dropped($0) }
    }

    /// What the catalogue must save now.
    package mutating func takeJournal() -> CacheJournal {
        journal.applied = standing.applied
        journal.epoch = epoch
        return journal.take()
    }

    /// Takes back what could not be saved; it is saved with what came since.
    package mutating func putBack(_ older: CacheJournal) { journal.follow(older) }

    /// Exchanges a value for another form of the same content, if it is still held.
    package mutating func exchange(_ key: CacheKey, _ old: CachedValue, for new: CachedValue) {
        guard var entry = entries[key], entry.value.payload === old.payload, old.payload != nil else { return }
        entry.value = new
        entries.put(entry).forEach { journal.dropped($0) }
    }

    private func isCurrent(_ entry: CacheEntry, witness: UInt64, at now: Moment) -> Bool {
        guard currency(at: now).covers(entry.standing) else { return false }
        return entry.kind == .token || witness <= entry.value.generation
    }

    private func currency(at now: Moment) -> Currency {
        Currency(now: now, epoch: epoch, isFresh: isFresh(at: now), tokenLease: tokenLease)
    }

    /// What decides at one moment whether an entry may be called current.
    private struct Currency {
        let now: Moment
        let epoch: UInt64
        let isFresh: Bool
        let tokenLease: MomentSpan

        /// Whatever a client has seen.
        func covers(_ entry: CacheEntry.Standing) -> Bool {
            guard entry.epoch == epoch else { return false }
            return entry.kind == .token ? now < entry.verifiedAt + tokenLease : isFresh
        }
    }

    /// While leases came, their heads were applied and nothing dropped it, a verified entry was current.
    private func currentUntil(_ entry: CacheEntry) -> Moment {
        guard entry.epoch == epoch, let currentAt = standing.currentAt else { return entry.verifiedAt }
        return max(entry.verifiedAt, currentAt)
    }
}

extension UInt64 {
    mutating func raise(to other: UInt64) { self = Swift.max(self, other) }
}

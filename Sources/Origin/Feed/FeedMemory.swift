import Registry

/// What a replica remembers of the feed, and what each look at the table does to it. Pure.
///
/// A look that reached the end is a pulse; leases are sent on pulses only (I5).
struct FeedMemory: Sendable {
    /// What follows from a page.
    enum Step: Hashable, Sendable {
        /// There may be more: look again.
        case again
        case upToDate
        /// The database does not go on where memory ended; every reader begins anew.
        case restarted(from: UInt64)
    }

    /// A look that reached the end.
    struct Pulse: Hashable, Sendable {
        /// Counts from 1.
        let number: UInt64
        /// When the look began: what was committed before is in memory.
        let at: ContinuousClock.Instant
    }

    let framesMax: Int
    /// Nil until the first look.
    private var ring: FeedRing?
    /// The last successful look.
    private(set) var pulse: Pulse?

    init(framesMax: Int) { self.framesMax = framesMax }

    /// The newest position that is known; nil before the first look.
    var head: UInt64? { ring?.head }
    /// The oldest position that is still served from memory.
    var floor: UInt64 { ring?.floor ?? 0 }

    func next(after position: UInt64, framesMax: Int) -> FeedRing.Answer {
        ring?.next(after: position, framesMax: framesMax) ?? .tooOld
    }

    /// The first look: what is older is not remembered.
    mutating func begin(at head: UInt64) { ring = FeedRing(head: head, framesMax: framesMax) }

    /// - Parameters:
    ///   - page: read after `head`, with at most `rowsMax` rows.
    ///   - began: when the look began.
    /// - Throws: `FeedDamage.gap` if a position is missing inside the page; the next page then begins behind it.
    mutating func take(_ page: FeedStore.Page, rowsMax: Int, began: ContinuousClock.Instant) throws(FeedDamage) -> Step
    {
        // Restored from a backup, or pruned past this replica.
        if page.isGone { return restart(at: page.head) }
        try ring?.append(page.frames)
        guard page.frames.count < rowsMax else { return .again }
        // The newest rows are gone, by whatever hand: nobody knows what they said, so no lease may vouch for it.
        guard head == page.head else { return restart(at: page.head) }
        pulse = Pulse(number: (pulse?.number ?? 0) + 1, at: began)
        return .upToDate
    }

    private mutating func restart(at head: UInt64) -> Step {
        let last = self.head ?? 0
        begin(at: head)
        return .restarted(from: last)
    }
}

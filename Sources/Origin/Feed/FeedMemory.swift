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

    let framesMax: Int
    /// Nil until the first look.
    private var ring: FeedRing?
    /// Counts successful looks.
    private(set) var pulses: UInt64 = 0

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

    /// - Parameter page: read after `head`, with at most `rowsMax` rows.
    /// - Throws: `FeedDamage.gap` if a position is missing inside the page; the next page then begins behind it.
    mutating func take(_ page: FeedStore.Page, rowsMax: Int) throws(FeedDamage) -> Step {
        // Restored from a backup, or pruned past this replica.
        if page.isGone {
            let last = head ?? 0
            begin(at: page.head)
            return .restarted(from: last)
        }
        try ring?.append(page.frames)
        guard page.frames.count < rowsMax else { return .again }
        pulses += 1
        return .upToDate
    }
}

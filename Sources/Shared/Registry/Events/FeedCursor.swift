/// Where a reader stands in the feed: apply, skip, or ask again.
package struct FeedCursor: Hashable, Sendable {
    /// What to do with an event.
    package enum Step: Hashable, Sendable {
        case apply
        /// Seen before.
        case skip
        /// Something is missing: connect again with `after`.
        case resume(after: UInt64)
    }

    /// The last position that was applied.
    package private(set) var applied: UInt64

    package init(applied: UInt64) { self.applied = applied }

    /// Decides about the event at `position`; moves on if it is to be applied.
    package mutating func arrived(_ position: UInt64) -> Step {
        if position <= applied { return .skip }
        guard position == applied + 1 else { return .resume(after: applied) }
        applied = position
        return .apply
    }
}

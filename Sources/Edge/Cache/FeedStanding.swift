import Registry

/// Where an edge stands in the feed, and whether that gives it the right to call its cache fresh.
///
/// Fresh: everything up to the last head that was heard is applied, and a lease was heard within the lease time.
/// Source: design, "The feed"; I5.
package struct FeedStanding: Sendable {
    private var cursor: FeedCursor
    /// The newest position that was heard of.
    package private(set) var head: UInt64
    package private(set) var heardAt: Moment?
    /// When the last lease was heard whose head is applied: up to then, what is held and verified was current.
    private(set) var currentAt: Moment?
    private let lease: MomentSpan

    package init(applied: UInt64, leaseTime: Duration) {
        cursor = FeedCursor(applied: applied)
        head = applied
        lease = MomentSpan(leaseTime)
    }

    package var applied: UInt64 { cursor.applied }
    package var lag: UInt64 { head > applied ? head - applied : 0 }

    /// Whether the last head heard is applied and was heard within the lease time (I5).
    package func isFresh(at now: Moment) -> Bool {
        guard let heardAt else { return false }
        return applied >= head && now < heardAt + lease
    }

    mutating func arrived(_ position: UInt64) -> FeedCursor.Step {
        head = max(head, position)
        let step = cursor.arrived(position)
        if applied >= head, let heardAt { currentAt = heardAt }
        return step
    }

    mutating func heard(head: UInt64, at now: Moment) {
        self.head = max(self.head, head)
        heardAt = now
        if applied >= self.head { currentAt = now }
    }

    /// Takes a new place without what lies between.
    mutating func jump(to position: UInt64, at now: Moment) {
        cursor = FeedCursor(applied: position)
        head = position
        heardAt = now
        currentAt = now
    }
}

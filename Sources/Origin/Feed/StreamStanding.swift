import Registry

/// Where one edge's stream stands, and what it is sent next. Pure; `FeedStream` reads and writes for it.
///
/// The table of situations stands at `FeedStream`.
struct StreamStanding: Sendable {
    enum Next: Hashable, Sendable {
        case send([FeedRing.Frame])
        case lease(head: UInt64)
        case reset(to: UInt64)
        /// Memory can't serve it: far behind, ahead of this replica, or from before a restored backup.
        case readTable
        /// There is nothing to send until the bell rings again.
        case wait
        /// It fell behind what memory holds: it resumes on a new connection.
        case cutOff
    }

    static let leaseGap: Duration = .milliseconds(500)
    /// A stream that was held up must not vouch for what the replica saw long ago (I5).
    static let pulseAgeMax: Duration = .seconds(2)

    private(set) var position: UInt64
    /// True once memory has served it: from then on falling behind means being slow.
    private var isLive = false
    private var lastPulse: UInt64 = 0
    private var lastLease: ContinuousClock.Instant?

    init(after position: UInt64) { self.position = position }

    /// Before anything else, so that the edge knows at once where it stands.
    mutating func begin(_ page: FeedStore.Page, at now: ContinuousClock.Instant) -> Next {
        if page.isGone { return .reset(to: page.head) }
        lastLease = now
        return .lease(head: page.head)
    }

    mutating func next(_ answer: FeedRing.Answer) -> Next {
        switch answer {
        case .frames(let frames):
            isLive = true
            return .send(frames)
        case .upToDate:
            isLive = true
            return .wait
        case .tooOld where isLive: return .cutOff
        case .tooOld, .ahead: return .readTable
        }
    }

    /// - Parameter page: read after `position`.
    func next(_ page: FeedStore.Page) -> Next {
        if page.isGone { return .reset(to: page.head) }
        return page.frames.isEmpty ? .wait : .send(page.frames)
    }

    /// - Parameters:
    ///   - pulse: the replica's last successful look at the table.
    ///   - head: what it saw there last; nil if it never looked.
    /// - Returns: nil if no lease is due.
    mutating func lease(_ pulse: FeedMemory.Pulse?, head: UInt64?, at now: ContinuousClock.Instant) -> Next? {
        guard let pulse, pulse.number != lastPulse, now - pulse.at < Self.pulseAgeMax, let head else { return nil }
        if let lastLease, now - lastLease < Self.leaseGap { return nil }
        lastPulse = pulse.number
        lastLease = now
        return .lease(head: max(head, position))
    }

    mutating func wrote(upTo last: UInt64) { position = last }
}

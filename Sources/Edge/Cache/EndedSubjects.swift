/// Up to where in the feed each token has changed, so that URLs that were signed for it before that end (I7).
///
/// A URL names the position as of which its token stood; so no clock is needed, and one made after a change is good.
/// Bounded: what is forgotten, or was never heard (a new edge, a feed that began anew), raises the floor, and URLs
/// from below the floor are refused. Their holders ask the origin again, which costs them one request.
package struct EndedSubjects: Hashable, Sendable {
    package static let countMax = 1024

    /// Nothing is known of what happened to tokens up to here.
    package private(set) var floor: UInt64
    /// The newest change of each token that is known, all above the floor.
    package private(set) var positions: [String: UInt64]

    package init(floor: UInt64, positions: [String: UInt64] = [:]) {
        self.floor = floor
        self.positions = positions
    }

    /// Whether a URL still speaks for the token that it was made for.
    package func mayUse(_ subject: String, asOf position: UInt64) -> Bool {
        position >= floor && position >= positions[subject, default: 0]
    }

    /// The token was changed or revoked at `position`, which is newer than all before.
    mutating func ended(_ subject: String, at position: UInt64) {
        positions[subject] = position
        guard positions.count > Self.countMax, let oldest = positions.min(by: { $0.value < $1.value }) else { return }
        positions[oldest.key] = nil
        floor = max(floor, oldest.value)
    }

    /// The feed goes on from `head`, and what happened before it is not known.
    mutating func beginAnew(at head: UInt64) {
        floor = head
        positions = [:]
    }
}

/// When sessions begin, and for how long.
struct DrivePlan: Hashable, Sendable {
    enum Pace: Hashable, Sendable {
        /// Closed loop: so many users, each begins anew when it is done.
        case users(Int)
        /// Open loop: sessions begin at this rate, whatever becomes of those before.
        case rate(perSecond: Double, isPoisson: Bool)
    }

    var pace: Pace
    /// Not counted.
    var warmUp: Duration
    var duration: Duration
    /// Ends earlier after so many counted sessions; nil for no limit.
    var sessionsMax: Int?
    var seed: UInt64
}

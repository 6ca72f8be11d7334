import NIOCore

/// An allowance that is spent by what a client does and comes back with time.
struct FloodGauge {
    private let most: Double
    private let perNanosecond: Double
    private var left: Double
    private var since: NIODeadline?

    init(most: Int, perSecond: Int) {
        self.most = Double(most)
        perNanosecond = Double(perSecond) / 1e9
        left = Double(most)
    }

    /// - Returns: false when the allowance is used up.
    mutating func spend(_ now: NIODeadline) -> Bool {
        if let since { left = min(most, left + Double((now - since).nanoseconds) * perNanosecond) }
        since = now
        left -= 1
        return left >= 0
    }
}

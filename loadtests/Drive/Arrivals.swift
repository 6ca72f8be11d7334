import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// When the sessions of an open loop should begin, since the loop began. Endless; the same for the same seed.
struct Arrivals: Sequence, IteratorProtocol, Sendable {
    private let meanNanoseconds: Double
    private let isPoisson: Bool
    private var random: SeededRandom
    private var nanoseconds = 0.0

    /// - Parameter perSecond: above 0.
    init(perSecond: Double, isPoisson: Bool, seed: UInt64) {
        precondition(perSecond > 0, "arrivals need a rate")
        meanNanoseconds = 1e9 / perSecond
        self.isPoisson = isPoisson
        random = SeededRandom(seed: seed)
    }

    mutating func next() -> TimeAmount? {
        nanoseconds +=
            isPoisson ? -log(1 - Double.random(in: 0..<1, using: &random)) * meanNanoseconds : meanNanoseconds
        return .nanoseconds(Int64(nanoseconds))
    }
}

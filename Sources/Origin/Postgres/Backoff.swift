/// Growing pauses between attempts, each drawn from the upper half of its step so that many clients don't move as one.
struct Backoff {
    private var step: Duration
    private let pauseMax: Duration

    init(first: Duration, most: Duration) {
        step = first
        pauseMax = most
    }

    mutating func next() -> Duration {
        defer { step = min(step * 2, pauseMax) }
        return step * Double.random(in: 0.5...1)
    }
}

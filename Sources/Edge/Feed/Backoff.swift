/// Pauses between tries: doubling from `pauseMin` to `pauseMax`, each between a half and the whole of its length, so
/// that edges cut off at once do not come back at once.
struct Backoff: Sendable {
    let pauseMin: Duration
    let pauseMax: Duration
    private var pause: Duration

    init(pauseMin: Duration = .milliseconds(100), pauseMax: Duration = .seconds(5)) {
        self.pauseMin = pauseMin
        self.pauseMax = pauseMax
        pause = pauseMin
    }

    mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
        let full = pause
        pause = min(pauseMax, pause * 2)
        return full * Double.random(in: 0.5...1, using: &random)
    }

    mutating func succeeded() { pause = pauseMin }
}

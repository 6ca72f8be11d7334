import NIOCore

/// When cargo asks again for a file that it did not get. Source: docs/PROTOCOL.md, "Resolving".
enum RetrySchedule {
    static let retriesMax = 3
    static let pauseMax: Duration = .seconds(10)
    /// The first pause is drawn from these; later ones are fixed, so that cargos that failed together come back together.
    static let firstPause: ClosedRange<Double> = 0.5...1.5
    private static let laterPauses: [Duration] = [.milliseconds(3_500), .milliseconds(6_500)]

    /// How long cargo waits before it asks again.
    ///
    /// - Parameters:
    ///   - failures: how often this file has failed, this time included.
    ///   - first: drawn from `firstPause`, in seconds.
    /// - Returns: nil if the outcome stands: an answer, an error that no retry helps, or the last of four tries.
    static func pause(after outcome: WireOutcome, failures: Int, first: Double) -> Duration? {
        guard failures <= retriesMax, isRetried(outcome) else { return nil }
        if let asked = retryAfter(outcome) { return min(asked, pauseMax) }
        return failures == 1 ? .seconds(first) : laterPauses[failures - 2]
    }

    private static func isRetried(_ outcome: WireOutcome) -> Bool {
        switch outcome {
        case .success(let answer): answer.status == 429 || (500...599).contains(answer.status)
        case .failure(.garbled), .failure(.cannotConnect(Reason.untrusted)): false
        case .failure: true
        }
    }

    /// Whole seconds; cargo reads a date too, which servers of indexes don't send.
    private static func retryAfter(_ outcome: WireOutcome) -> Duration? {
        guard case .success(let answer) = outcome, answer.status == 429 || answer.status == 503,
            let seconds = answer.field("retry-after").flatMap({ UInt32($0) })
        else { return nil }
        return .seconds(Int64(seconds))
    }
}

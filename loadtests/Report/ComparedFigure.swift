/// One figure of both sides: the ratios of neighbouring rounds, which share what the machine was doing then.
struct ComparedFigure: Codable, Hashable, Sendable {
    enum Verdict: String, Codable, Sendable {
        case betterA = "A", betterB = "B"
        /// The ratios lie on both sides of 1, or there is a single one, or the side that would be better fails more often.
        case unclear
    }

    let figure: String
    let isLowerBetter: Bool
    /// A side whose share of failures is larger by more is not called better: what fails early is cheap and fast.
    static let failingMoreMax = 0.001

    /// The medians of the rounds.
    let a: Double
    let b: Double
    /// B ÷ A, one a round.
    let ratios: [Double]
    let least: Double
    let median: Double
    let most: Double
    let better: Verdict

    /// - Parameters:
    ///   - rounds: the figure in each round; rounds in which a side has none, or 0, are left out.
    ///   - failing: which share of all that was asked of each side failed, 0 to 1.
    /// - Returns: nil if no round has both.
    init?(
        _ figure: String, isLowerBetter: Bool, rounds: [(a: Double?, b: Double?)],
        failing: (a: Double, b: Double) = (0, 0)
    ) {
        let pairs = rounds.compactMap { round -> (a: Double, b: Double)? in
            guard let a = round.a, let b = round.b, a > 0, b > 0 else { return nil }
            return (a, b)
        }
        let sorted = pairs.map { $0.b / $0.a }.sorted()
        guard let least = sorted.first, let most = sorted.last else { return nil }
        self.figure = figure
        self.isLowerBetter = isLowerBetter
        a = Self.median(pairs.map(\.a).sorted())
        b = Self.median(pairs.map(\.b).sorted())
        ratios = pairs.map { $0.b / $0.a }
        self.least = least
        self.most = most
        median = Self.median(sorted)
        let isClear = pairs.count > 1 && (least > 1 || most < 1)
        let isA = (least > 1) == isLowerBetter
        let failsMore = (isA ? failing.a - failing.b : failing.b - failing.a) > Self.failingMoreMax
        better = !isClear || failsMore ? .unclear : isA ? .betterA : .betterB
    }

    /// Of at least one.
    private static func median(_ sorted: [Double]) -> Double {
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }

    /// Whom the ratios speak for, in words.
    static func note(rounds: Int) -> String {
        rounds > 1
            ? "ratios of neighbouring rounds; a side is called better only if all \(rounds) rounds agree and it fails no more"
            : "a single round says nothing about the spread: ask for more --rounds"
    }

    static func all(_ a: [SideFigures.Round], _ b: [SideFigures.Round]) -> [Self] {
        func share(_ rounds: [SideFigures.Round]) -> Double {
            let sessions = rounds.reduce(0) { $0 + $1.all.sessions }
            return sessions > 0 ? Double(rounds.reduce(0) { $0 + $1.all.failed }) / Double(sessions) : 0
        }
        let failing = (share(a), share(b))
        func compare(
            _ figure: String, isLowerBetter: Bool = true, _ value: (SideFigures.Round) -> Double?
        ) -> Self? {
            Self(
                figure, isLowerBetter: isLowerBetter, rounds: zip(a, b).map { (value($0), value($1)) }, failing: failing
            )
        }
        func latency(_ percent: Double) -> (SideFigures.Round) -> Double? {
            { $0.all.latency.isEmpty ? nil : $0.all.latency.milliseconds(at: percent) }
        }
        return [
            compare("latency p50 (ms)", latency(50)), compare("latency p90 (ms)", latency(90)),
            compare("latency p99 (ms)", latency(99)), compare("latency p99.9 (ms)", latency(99.9)),
            compare("sessions a second", isLowerBetter: false) { $0.rate },
            compare("server CPU a request (µs)") { $0.serverCPUMicrosecondsPerRequest },
        ].compactMap { $0 }
    }
}

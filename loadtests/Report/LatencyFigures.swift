/// A histogram as a report shows it; milliseconds.
struct LatencyFigures: Codable, Hashable, Sendable {
    let count: Int
    let p50: Double
    let p90: Double
    let p99: Double
    let p99_9: Double
    let max: Double

    /// - Returns: nil without a single time.
    init?(_ histogram: LatencyHistogram) {
        guard !histogram.isEmpty else { return nil }
        func rounded(_ percent: Double) -> Double { (histogram.milliseconds(at: percent) * 10_000).rounded() / 10_000 }
        count = histogram.count
        p50 = rounded(50)
        p90 = rounded(90)
        p99 = rounded(99)
        p99_9 = rounded(99.9)
        max = rounded(100)
    }

    var cells: [String] { [p50, p90, p99, p99_9, max].map(Shown.time) }
    static let noCells = Array(repeating: "-", count: 5)
    static let header = ["P50", "P90", "P99", "P99.9", "MAX"]
}

/// A point of a curve of latency by percentile.
struct CurvePoint: Codable, Hashable, Sendable {
    /// 0 to 100.
    let percent: Double
    let milliseconds: Double

    /// Dense where an axis of 1 / (1 - p) is long: so many points each time the rest falls to a tenth, up to where a
    /// single session is the rest.
    static func curve(_ histogram: LatencyHistogram, pointsPerTenth: Int = 24) -> [Self] {
        guard !histogram.isEmpty else { return [] }
        let last = logTen(Double(histogram.count))
        let steps = Int((last * Double(pointsPerTenth)).rounded(.down))
        let percents = (0...steps).map { 100 * (1 - powerOfTen(-Double($0) / Double(pointsPerTenth))) } + [100]
        return percents.map { Self(percent: $0, milliseconds: histogram.milliseconds(at: $0)) }
    }
}

/// What a set of times says, all of them kept, so that no bucket rounds anything. In milliseconds.
struct Percentiles: Hashable, Sendable, Encodable {
    let count: Int
    let p50: Double
    let p99: Double
    let max: Double

    /// - Returns: nil without a single time.
    init?(_ milliseconds: [Double]) {
        let sorted = milliseconds.sorted()
        guard let last = sorted.last else { return nil }
        count = sorted.count
        p50 = Self.rank(0.50, sorted)
        p99 = Self.rank(0.99, sorted)
        max = Self.rounded(last)
    }

    /// Nearest rank: the smallest time that at least this share does not exceed.
    private static func rank(_ share: Double, _ sorted: [Double]) -> Double {
        let place = Int((share * Double(sorted.count)).rounded(.up))
        return rounded(sorted[Swift.max(0, place - 1)])
    }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    var cells: [String] { [Self.cell(p50), Self.cell(p99), Self.cell(max)] }

    private static func cell(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10)) ms"
    }
}

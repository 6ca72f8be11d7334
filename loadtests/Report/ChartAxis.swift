/// An axis of a chart: what it shows, from where to where, and which values are marked.
struct ChartAxis: Sendable {
    struct Tick: Hashable, Sendable {
        let value: Double
        let label: String
    }

    let title: String
    let isLogarithmic: Bool
    let range: ClosedRange<Double>
    let ticks: [Tick]

    /// Where a value lies: 0 at the axis's beginning, 1 at its end.
    func place(_ value: Double) -> Double {
        let (low, high) = (range.lowerBound, range.upperBound)
        let inside = min(max(value, low), high)
        guard isLogarithmic else { return (inside - low) / (high - low) }
        return (logTen(inside) - logTen(low)) / (logTen(high) - logTen(low))
    }

    /// From 0 to beyond the largest value, or by powers of ten if small values would lie on the line.
    static func values(_ title: String, _ values: [Double], label: (Double) -> String) -> Self {
        let positive = values.filter { $0 > 0 && $0.isFinite }
        guard let least = positive.min(), let most = positive.max() else {
            return Self(
                title: title, isLogarithmic: false, range: 0...1, ticks: [Tick(value: 0, label: Shown.tick(label(0)))])
        }
        return most / least > 30
            ? logarithmic(title, from: least, to: most, label: label) : linear(title, to: most, label: label)
    }

    /// Four to eight steps of 1, 2 or 5 times a power of ten.
    static func linear(_ title: String, to most: Double, label: (Double) -> String) -> Self {
        let power = powerOfTen((logTen(most / 5)).rounded(.down))
        let step = ([1, 2, 5, 10].first { $0 * power * 6 >= most } ?? 10) * power
        let count = Int((most / step).rounded(.up))
        let ticks = (0...max(1, count)).map {
            Tick(value: Double($0) * step, label: Shown.tick(label(Double($0) * step)))
        }
        return Self(title: title, isLogarithmic: false, range: 0...(step * Double(max(1, count))), ticks: ticks)
    }

    /// Marked at 1, 2 and 5 times the powers of ten; at the powers alone if that were crowded.
    private static func logarithmic(
        _ title: String, from least: Double, to most: Double, label: (Double) -> String
    ) -> Self {
        let decades = Int(logTen(least).rounded(.down))...Int(logTen(most).rounded(.up))
        let factors = decades.count > 4 ? [1.0] : [1, 2, 5]
        let all = decades.flatMap { decade in factors.map { $0 * powerOfTen(Double(decade)) } }
        let low = all.last { $0 <= least * 1.0001 } ?? least
        let high = all.first { $0 >= most * 0.9999 } ?? most
        return Self(
            title: title + ", logarithmic", isLogarithmic: true, range: low...high,
            ticks: all.filter { $0 >= low * 0.9999 && $0 <= high * 1.0001 }.map {
                Tick(value: $0, label: Shown.tick(label($0)))
            })
    }

    /// Of 1 / (1 - p) as powers of ten: 90 % at 1, 99 % at 2.
    ///
    /// - Parameter count: of what was measured; beyond one of them there is nothing.
    static func percentiles(count: Int) -> Self {
        let nines = max(1, logTen(Double(max(count, 1))))
        let marks: [Tick] = [
            Tick(value: 0, label: "0 %"), Tick(value: logTen(2), label: "50 %"), Tick(value: 1, label: "90 %"),
            Tick(value: 2, label: "99 %"), Tick(value: 3, label: "99.9 %"), Tick(value: 4, label: "99.99 %"),
            Tick(value: 5, label: "99.999 %"), Tick(value: 6, label: "99.9999 %"),
        ]
        return Self(
            title: "share of sessions that were this fast or faster", isLogarithmic: false, range: 0...nines,
            ticks: marks.filter { $0.value <= nines })
    }

    static func seconds(to last: Int) -> Self {
        linear("seconds since the run began", to: Double(max(last, 5))) { Shown.fixed($0, $0 == $0.rounded() ? 0 : 1) }
    }
}

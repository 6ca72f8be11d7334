import Histogram
import NIOCore

/// How long things took, in the buckets of an HdrHistogram: three digits of each time, from 100 ns to ten minutes.
///
/// A value: threads and rounds record into histograms of their own, which are merged at the end.
struct LatencyHistogram: Sendable {
    /// What took longer counts as this long, and in `clamped`.
    static let nanosecondsMax: UInt64 = 600_000_000_000

    private var buckets = Histogram<UInt64>(
        lowestDiscernibleValue: 100, highestTrackableValue: Self.nanosecondsMax, numberOfSignificantValueDigits: .three)
    /// How many times were longer than the histogram can hold.
    private(set) var clamped = 0

    var count: Int { Int(buckets.totalCount) }
    var isEmpty: Bool { buckets.totalCount == 0 }

    /// Cheap: no allocation.
    mutating func record(nanoseconds: UInt64) {
        if nanoseconds > Self.nanosecondsMax { clamped += 1 }
        buckets.record(min(nanoseconds, Self.nanosecondsMax))
    }

    /// A negative time, which a clock's rounding can bring, counts as none.
    mutating func record(_ time: TimeAmount) { record(nanoseconds: UInt64(max(0, time.nanoseconds))) }

    /// Also records the requests that a user would have sent meanwhile, one each `interval`, had it not waited for this
    /// one (HdrHistogram's correction of coordinated omission).
    mutating func record(_ time: TimeAmount, every interval: TimeAmount) {
        let nanoseconds = UInt64(max(0, time.nanoseconds))
        if nanoseconds > Self.nanosecondsMax { clamped += 1 }
        buckets.recordCorrectedValue(
            min(nanoseconds, Self.nanosecondsMax), expectedInterval: UInt64(max(1, interval.nanoseconds)))
    }

    mutating func merge(_ other: Self) {
        buckets.add(other.buckets)
        clamped += other.clamped
    }

    mutating func removeAll() {
        buckets.reset()
        clamped = 0
    }

    /// The time that `percent` of all did not exceed, 0 to 100; 0 without a single one.
    func nanoseconds(at percent: Double) -> UInt64 { isEmpty ? 0 : buckets.valueAtPercentile(percent) }

    func milliseconds(at percent: Double) -> Double { Double(nanoseconds(at: percent)) / 1e6 }
}

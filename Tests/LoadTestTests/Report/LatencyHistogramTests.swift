import NIOCore
import Testing

@testable import LoadTest

struct LatencyHistogramTests {
    private static func made(_ milliseconds: some Sequence<Int>) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for time in milliseconds { histogram.record(.milliseconds(Int64(time))) }
        return histogram
    }

    /// What three digits allow.
    private static func isClose(_ found: Double, _ wanted: Double) -> Bool { abs(found - wanted) <= wanted / 1_000 }

    @Test(arguments: [(50.0, 500.0), (90, 900), (99, 990), (99.9, 999), (100, 1_000)])
    func `percentiles are right to three digits`(percent: Double, milliseconds: Double) {
        #expect(Self.isClose(Self.made((1...1_000).shuffled()).milliseconds(at: percent), milliseconds))
    }

    @Test(arguments: [UInt64(200), 5_000, 80_000, 1_234_567, 59_000_000_000])
    func `times from parts of a microsecond to minutes keep three digits`(nanoseconds: UInt64) {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: nanoseconds)
        // Below 200 µs a bucket is 64 ns wide.
        let width = max(Double(nanoseconds) / 1_000, 64)
        #expect(abs(Double(histogram.nanoseconds(at: 50)) - Double(nanoseconds)) <= width)
    }

    @Test func `parts that are merged are the whole`() {
        let whole = Self.made(1...900)
        var sum = Self.made(1...300)
        sum.merge(Self.made(301...600))
        sum.merge(Self.made(601...900))
        sum.merge(LatencyHistogram())
        for percent in [0, 10, 50, 99, 99.9, 100] {
            #expect(sum.nanoseconds(at: percent) == whole.nanoseconds(at: percent))
        }
        #expect(sum.count == 900)
    }

    @Test func `a time beyond ten minutes counts as ten, and is told`() {
        var histogram = Self.made([1])
        histogram.record(.hours(3))
        #expect([histogram.count, histogram.clamped] == [2, 1])
        #expect(Self.isClose(histogram.milliseconds(at: 100), 600_000))
        var other = Self.made([2])
        other.merge(histogram)
        #expect(other.clamped == 1)
    }

    @Test func `a clock that went back a little is no time, not a crash`() {
        var histogram = LatencyHistogram()
        histogram.record(.nanoseconds(-5))
        #expect(histogram.count == 1)
        #expect(histogram.nanoseconds(at: 100) < 128)
    }

    @Test func `nothing recorded is no figures`() {
        #expect(LatencyHistogram().isEmpty)
        #expect(LatencyHistogram().nanoseconds(at: 99) == 0)
        #expect(LatencyFigures(LatencyHistogram()) == nil)
        #expect(CurvePoint.curve(LatencyHistogram()) == [])
    }

    @Test func `what a user would have asked meanwhile is counted too`() {
        var histogram = LatencyHistogram()
        histogram.record(.milliseconds(100), every: .milliseconds(10))
        histogram.record(.milliseconds(9), every: .milliseconds(10))
        // 100, and 90, 80, … 10 that were never sent; 9 kept nobody waiting.
        #expect(histogram.count == 11)
        #expect(Self.isClose(histogram.milliseconds(at: 50), 50))
    }

    @Test func `a curve rises to the slowest session`() throws {
        let curve = CurvePoint.curve(Self.made(1...1_000))
        #expect(curve.first?.percent == 0)
        let last = try #require(curve.last)
        #expect(last.percent == 100)
        #expect(Self.isClose(last.milliseconds, 1_000))
        #expect(curve.map(\.milliseconds) == curve.map(\.milliseconds).sorted())
        #expect(curve.map(\.percent) == curve.map(\.percent).sorted())
        // Three tenths: to 90, 99 and 99.9 %.
        #expect(curve.count == 3 * 24 + 2)
    }
}

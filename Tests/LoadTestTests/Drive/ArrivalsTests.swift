import ArgumentParser
import NIOCore
import Testing

@testable import LoadTest

struct ArrivalsTests {
    private static func gaps(_ perSecond: Double, isPoisson: Bool, seed: UInt64, count: Int = 50_000) -> [Double] {
        var last = TimeAmount.zero
        return Arrivals(perSecond: perSecond, isPoisson: isPoisson, seed: seed).prefix(count).map { arrival in
            defer { last = arrival }
            return Double((arrival - last).nanoseconds) / 1e9
        }
    }

    @Test(arguments: [(20.0, UInt64(1)), (1_000.0, 2), (0.5, 3)])
    func `Poisson gaps have the mean and the variance of an exponential distribution`(
        perSecond: Double, seed: UInt64
    ) {
        let gaps = Self.gaps(perSecond, isPoisson: true, seed: seed)
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        // Five standard errors of the mean, and of the variance, of so many exponential gaps.
        #expect(abs(mean * perSecond - 1) < 5 / Double(gaps.count).squareRoot())
        #expect(abs(variance * perSecond * perSecond - 1) < 5 * (8 / Double(gaps.count)).squareRoot())
        // And their shape: exp(-1) of all gaps are longer than the mean.
        let long = Double(gaps.count { $0 > mean }) / Double(gaps.count)
        #expect(abs(long - 0.3679) < 0.015)
    }

    @Test func `uniform arrivals are one gap apart`() {
        #expect(
            Arrivals(perSecond: 4, isPoisson: false, seed: 9).prefix(3).map(\.nanoseconds) == [
                250_000_000, 500_000_000, 750_000_000,
            ])
    }

    @Test func `a seed decides all arrivals`() {
        func first(_ seed: UInt64) -> [TimeAmount] {
            Array(Arrivals(perSecond: 10, isPoisson: true, seed: seed).prefix(50))
        }
        #expect(first(5) == first(5))
        #expect(first(5) != first(6))
    }

    @Test(arguments: [
        ("500ms", Duration.milliseconds(500)), ("10s", .seconds(10)), ("1.5s", .milliseconds(1_500)),
        ("2m", .seconds(120)), ("1h", .seconds(3_600)),
    ])
    func `a time is a number and a unit`(text: String, duration: Duration) {
        #expect(Span(argument: text)?.duration == duration)
    }

    @Test(arguments: ["", "s", "10", "-1s", "1d", "nans", "infs", "1e99h", "ten s"])
    func `a time without sense is refused`(text: String) {
        #expect(Span(argument: text) == nil)
    }

    @Test(arguments: [
        ["--users", "0"], ["--rate", "0"], ["--users", "2", "--rate", "2"], ["--duration", "1ms"], ["--rounds", "0"],
        ["--compare-pid", "1"], ["--rate", "5", "--expected-interval", "10ms"], ["--in-flight-max", "0"],
        ["--users", "1", "--expected-interval", "0ms"], ["--sessions", "0"], ["--duration", "soon"],
    ])
    func `options without sense are refused`(arguments: [String]) {
        #expect(throws: (any Error).self) { try LoadOptions.parse(arguments) }
    }

    @Test func `a comparison has five rounds unless it is told otherwise`() throws {
        #expect(try LoadOptions.parse([]).roundCount == 1)
        #expect(try LoadOptions.parse(["--compare", "http://b"]).roundCount == 5)
        #expect(try LoadOptions.parse(["--compare", "http://b", "--rounds", "2"]).roundCount == 2)
    }
}

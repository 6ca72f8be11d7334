import FoundationEssentials
import NIOCore
import Testing

@testable import LoadTest

struct LoadReportTests {
    @Test(arguments: [
        // B is slower in every round, faster in every round, sometimes one and sometimes the other.
        ([1.0, 2, 4], [3.0, 6, 8], true, ComparedFigure.Verdict.betterA), ([1, 2, 4], [0.5, 1, 2], true, .betterB),
        ([1, 2, 4], [2, 1, 4], true, .unclear), ([1, 2, 4], [3, 6, 8], false, .betterB),
        // One round says nothing about the spread.
        ([1], [9], true, .unclear),
    ])
    func `a side is better only if all rounds agree`(
        a: [Double], b: [Double], isLowerBetter: Bool, better: ComparedFigure.Verdict
    ) throws {
        let figure = try #require(
            ComparedFigure("x", isLowerBetter: isLowerBetter, rounds: zip(a, b).map { ($0, $1) }))
        #expect(figure.better == better)
    }

    // What is refused at once is cheap and fast; 1 of 1,000 more is chance.
    @Test(arguments: [
        (0.0, 0.79, ComparedFigure.Verdict.unclear), (0.5, 0.5, .betterB), (0.9, 0.1, .betterB), (0, 0.0009, .betterB),
    ])
    func `a side that fails more often is not called better`(
        a: Double, b: Double, better: ComparedFigure.Verdict
    ) throws {
        let figure = try #require(
            ComparedFigure("x", isLowerBetter: true, rounds: [(4, 1), (5, 1)], failing: (a, b)))
        #expect(figure.better == better)
    }

    @Test func `what failed is in no rate and no latency, and the report says how much that was`() throws {
        let report = try MadeReport.report(sides: 1, failing: true)
        let side = try #require(report.sides.first)
        // 20 of 1,000 failed, and 10 others ended too late.
        #expect(side.rate == 97)
        #expect(abs(side.requests_per_second - 99 * 7) < 1e-9)
        #expect(side.rounds.map(\.rate) == [97])
        #expect([side.all.latency?.count, side.steps.first?.latency.count] == [980, 980])
        #expect(side.timeline.reduce(0) { $0 + $1.rate } <= 980)
        #expect(report.warnings.contains { $0.contains("20 of 1,000 sessions (2.0 %) failed") })
        #expect(try MadeReport.report(sides: 1, failing: false).warnings.allSatisfy { !$0.contains("failed") })
    }

    @Test func `ratios are of neighbouring rounds, with their spread`() throws {
        let figure = try #require(
            ComparedFigure(
                "x", isLowerBetter: true, rounds: [(1, 2), (10, 30), (nil, 5), (4, 0), (2, 5), (100, 400)]))
        #expect(figure.ratios == [2, 3, 2.5, 4])
        #expect([figure.least, figure.median, figure.most] == [2, 2.75, 4])
        #expect([figure.a, figure.b] == [6, 17.5])
        #expect(ComparedFigure("x", isLowerBetter: true, rounds: [(nil, 1), (0, 0)]) == nil)
    }

    @Test func `JSON says again what it was made of`() throws {
        let report = try MadeReport.report(sides: 2, failing: true)
        let text = try Console.json(report)
        #expect(try JSONDecoder().decode(LoadReport.self, from: Data(text.utf8)) == report)
        // Names that others rely on.
        for name in [
            "\"format\" : 2", "\"p99_9\"", "\"latency_from\" : \"beginning\"", "\"cpu_us_per_request\"",
            "\"held_back\"", "\"not_modified\"", "\"warnings\"",
        ] { #expect(text.contains(name)) }
    }

    @Test func `the table has a row for all and for each application, on each side`() throws {
        let text = LoadReportText(report: try MadeReport.report(sides: 2, failing: true)).text
        #expect(text.contains("A = http://a.example, B = http://b.example"))
        let rows = text.split(separator: "\n").filter { $0.contains("resolution  ") }
        // One of them is that of the step.
        #expect(rows.count == 2 * 5)
        #expect(text.contains("status 503"))
        #expect(text.contains("B ÷ A"))
    }

    @Test func `a report without errors says so`() throws {
        let report = try MadeReport.report(sides: 1, failing: false)
        #expect(LoadReportText(report: report).text.contains("no errors"))
    }

    @Test func `rates don't count what was waited for afterwards`() throws {
        let side = try #require(try MadeReport.report(sides: 1, failing: false).sides.first)
        // Ten seconds planned and measured, 1,000 sessions of which 10 ended too late.
        #expect(side.measured_seconds == 10)
        #expect(side.rate == 99)
        #expect(abs(side.requests_per_second - 99 * 7) < 1e-9)
        #expect(side.timeline.reduce(0) { $0 + $1.rate * 1 } >= 990)
    }

    private func health(
        own: Double = 0.1, idle: Double = 50, stolen: Double = 0, late: Int64 = 0, heldBack: Int = 0,
        neverBegan: Int = 0
    ) -> [String] {
        var cost = PhaseCost(seconds: 10, ownCPUSeconds: own * 10)
        cost.machine = MachineTicks(all: 100, idle: idle, stolen: stolen)
        for _ in 0..<100 { cost.loopLateness.record(.milliseconds(late)) }
        let start = NIODeadline.uptimeNanoseconds(0)
        let outcome = PhaseOutcome(
            began: start, drained: start + .seconds(10), sessions: 100, inFlightPeak: 7, heldBack: heldBack,
            neverBegan: neverBegan)
        var side = SideFigures(name: "A", target: "x")
        side.add(
            PhaseFigures(secondsPerPoint: 1, expectedInterval: nil), outcome, cost, plannedSeconds: 10,
            secondsPerPoint: 1, offset: 0)
        return BenchHealth(side, coresAllowed: 2).warnings(latency: nil, sessions: 100)
    }

    @Test func `it says when it was itself the bottleneck`() {
        #expect(health() == [])
        #expect(health(own: 1.8).contains { $0.contains("1.80 of its 2 cores") })
        #expect(health(idle: 2).contains { $0.contains("idle for 2.0 %") })
        #expect(health(stolen: 5).contains { $0.contains("5.0 %") })
        #expect(health(late: 20).contains { $0.contains("late at the 99th percentile") })
        #expect(health(heldBack: 30).contains { $0.contains("30 of 100 arrivals waited") })
        #expect(health(neverBegan: 4).contains { $0.contains("4 arrivals never began") })
    }

    @Test(arguments: [
        (0.0123, "12.3 µs"), (0.9994, "999 µs"), (4.213, "4.21 ms"), (81.24, "81.2 ms"), (812.4, "812 ms"),
        (1_830, "1.83 s"), (123_456, "123 s"), (9.996, "10.0 ms"),
    ])
    func `times have three digits and a unit`(milliseconds: Double, text: String) {
        #expect(Shown.time(milliseconds) == text)
    }

    @Test func `numbers are readable`() {
        #expect(
            [0, 12, 123, 1_234, 1_234_567, -1_234].map(Shown.count) == [
                "0", "12", "123", "1,234", "1,234,567", "-1,234",
            ])
        #expect([812, 4_311, 1_918_000, 85e6].map(Shown.bytes) == ["812 B", "4.21 KiB", "1.83 MiB", "81.1 MiB"])
        #expect(Shown.fixed(-0.004, 2) == "0.00")
        #expect(Shown.fixed(.infinity, 2) == "-")
        #expect(Shown.share(0.025) == "2.5 %")
        #expect(
            ["1.00 s", "50.0 ms", "2.50 µs", "100 ms", "0.00", "1,200"].map(Shown.tick) == [
                "1 s", "50 ms", "2.5 µs", "100 ms", "0", "1,200",
            ])
    }

    @Test func `a moment is one line`() {
        var moment = Recorder.Moment()
        for _ in 0..<1_234 { moment.latency.record(.microseconds(1_200)) }
        moment.failed = 3
        #expect(
            ProgressLine.line("round 2 of 5, A", tick: 12, of: .seconds(30), seconds: 1, moment)
                == "round 2 of 5, A: 12 of 30 s  1,237/s  p50 1.20 ms  p99 1.20 ms  failed 3")
        #expect(ProgressLine.line("1 user", tick: 31, of: .seconds(30), seconds: 1, .init()).contains("waiting"))
    }
}

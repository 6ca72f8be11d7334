import ArgumentParser
import FoundationEssentials
import NIOCore

@testable import LoadTest

/// A report of sessions that never were: 1,000 on each side, ten seconds, three applications.
enum MadeReport {
    static func report(sides count: Int, failing: Bool, application: String = "app") throws -> LoadReport {
        let options = try LoadOptions.parse(count > 1 ? ["--compare", "http://b.example"] : [])
        let run = LoadRun("resolve", options: options, settings: [("http", "h2"), ("home", "cold")])
        let sides = [("A", "http://a.example", 1.0), ("B", "http://b.example", 2.5)].prefix(count).map {
            side($0, $1, slower: $2, failing: failing, application: application)
        }
        return LoadReport(
            run: run, sides: sides, machine: Machine.here(), began: Date(timeIntervalSince1970: 1_795_000_000),
            interrupted: false)
    }

    private static func side(
        _ name: String, _ target: String, slower: Double, failing: Bool, application: String
    ) -> SideFigures {
        var side = SideFigures(name: name, target: target)
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var figures = PhaseFigures(secondsPerPoint: 1, expectedInterval: nil)
        figures.begin(at: start, end: start + .seconds(10))
        var random = SeededRandom(seed: 3)
        for number in 0..<1_000 {
            let ended = start + .milliseconds(Int64(number) * 10 + (number >= 990 ? 200 : 5))
            // A long tail, as servers have one.
            let unit = Double.random(in: 0.001..<1, using: &random)
            let took = TimeAmount.microseconds(Int64(slower * (1_500 + 800 / unit)))
            var record = SessionRecord(
                kind: .resolution, name: "\(application)-\(number % 3)", intended: ended - took, began: ended - took,
                ended: ended)
            (record.requests, record.rounds, record.bytes) = (7, 2, 4_000)
            record.steps = [(name: "first byte", took: .microseconds(800))]
            if failing, number.isMultiple(of: 50) {
                record.hasFailed = true
                record.errors = ["status 503": 3]
            }
            figures.add(record)
        }
        figures.finish()
        var cost = PhaseCost(seconds: 10.2, ownCPUSeconds: 3)
        cost.server = .init(cpuSeconds: 2, residentBefore: 50 << 20, residentAfter: 60 << 20, residentPeak: 64 << 20)
        cost.machine = MachineTicks(all: 2_000, idle: 900, stolen: 0)
        side.add(
            figures,
            PhaseOutcome(began: start, drained: start + .milliseconds(10_190), sessions: 1_000, inFlightPeak: 8),
            cost, plannedSeconds: 10, secondsPerPoint: 1, offset: name == "A" ? 2 : 15)
        return side
    }
}

import ArgumentParser
import FoundationEssentials
import NIOCore

/// One server of `requests`, and what its rounds showed.
struct RequestSide: Sendable {
    struct Round: Sendable {
        let tally: RequestTally
        /// When the measured time began.
        let began: NIODeadline
        let residentBefore: Int
        let residentAfter: Int
    }

    let target: String
    var rounds: [Round] = []
}

extension LoadReport {
    /// What `requests` found as a page shows it: a session is one request.
    init(
        _ report: RequestReport, _ sides: [RequestSide], rate: Double?, requestsAtOnce: Int,
        times: (warmUp: Duration, measured: Duration), seed: UInt64, began: Date
    ) {
        let start = sides.flatMap { $0.rounds.map(\.began) }.min() ?? .now()
        let seconds = times.measured / .seconds(1)
        let figures = zip(["A", "B"], sides).map { name, side in
            var figures = SideFigures(name: name, target: side.target)
            for round in side.rounds {
                figures.add(
                    PhaseFigures(round.tally, expected: report.expected_status),
                    PhaseOutcome(
                        began: round.began, drained: round.began + .nanoseconds(Int64(round.tally.seconds * 1e9)),
                        sessions: round.tally.answers, inFlightPeak: requestsAtOnce),
                    PhaseCost(round), plannedSeconds: seconds, secondsPerPoint: 1,
                    offset: Int((round.began - start).nanoseconds / 1_000_000_000))
            }
            return figures
        }
        self.init(
            format: Self.currentFormat, verb: "requests", version: LoadTestCommand.configuration.version,
            commit: ProcessInfo.processInfo.environment["BENCH_COMMIT"], began: began.ISO8601Format(),
            machine: report.machine,
            settings: [Setting(name: "session", value: "one request")]
                + report.settings.sorted { $0.key < $1.key }.map { Setting(name: $0.key, value: $0.value) },
            pace: Pace(
                loop: rate == nil ? "closed" : "open", users: rate == nil ? requestsAtOnce : nil, rate: rate,
                arrivals: rate == nil ? nil : "poisson", in_flight_max: nil, expected_interval: nil),
            latency_from: rate == nil ? "beginning" : "intended arrival",
            warmup_seconds: times.warmUp / .seconds(1), duration_seconds: seconds, sessions_max: nil, seed: seed,
            rounds: sides.map(\.rounds.count).max() ?? 0, interrupted: report.interrupted,
            // One thread asks.
            sides: figures.map { Side($0, coresAllowed: 1) },
            comparison: sides.count == 2 ? report.comparison : nil, warnings: report.warnings)
    }
}

extension PhaseFigures {
    fileprivate init(_ round: RequestTally, expected: Int) {
        var tally = Tally()
        let good = round.answered(expected)
        let failed = round.failures.values.reduce(0, +) + round.answers - good
        tally.latency = round.latency
        (tally.sessions, tally.failed, tally.requests) = (good + failed, failed, good + failed)
        (tally.bytes, tally.rounds, tally.connections) = (round.bytes, good + failed, round.connectionsOpened)
        tally.notModified = round.answered(304)
        tally.spoken = round.spoken
        tally.errors = round.failures
        for (status, count) in round.statuses.enumerated() where count > 0 && status != expected {
            tally.errors["status \(status)"] = count
        }
        self.init(tally, kind: .request, points: round.points)
    }
}

extension PhaseCost {
    fileprivate init(_ round: RequestSide.Round) {
        self.init(seconds: round.tally.seconds, ownCPUSeconds: round.tally.ownCPUSeconds)
        server = round.tally.server.map { use in
            Server(
                cpuSeconds: Double(use.cpuNanoseconds) / 1e9, residentBefore: round.residentBefore,
                residentAfter: round.residentAfter, residentPeak: max(round.residentBefore, round.residentAfter))
        }
    }
}

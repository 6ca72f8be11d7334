/// A report for the terminal.
struct LoadReportText {
    let report: LoadReport

    var text: String {
        [head, table, steps, errors, costs, comparison, warnings].filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private var isCompared: Bool { report.sides.count > 1 }

    private var head: String {
        let times =
            "\(Shown.significant(report.duration_seconds)) s"
            + (report.rounds > 1 ? " in each of \(report.rounds) rounds" : "")
            + ", after \(Shown.significant(report.warmup_seconds)) s of warm-up"
        let targets = report.sides.map { isCompared ? "\($0.name) = \($0.target)" : $0.target }
        var lines = [
            "\(report.verb): " + targets.joined(separator: ", "), "\(report.pace.text); \(times); seed \(report.seed)",
        ]
        if !report.settings.isEmpty {
            lines.append(report.settings.map { "\($0.name) \($0.value)" }.joined(separator: ", "))
        }
        if report.interrupted { lines.append("interrupted: this is what was measured until then") }
        return lines.joined(separator: "\n")
    }

    private var hasCorrected: Bool { report.sides.contains { $0.all.corrected != nil } }

    private var table: String {
        let header =
            (isCompared ? ["SIDE"] : []) + ["WHAT", "NAME", "COUNT", "FAILED"] + LatencyFigures.header
            + (hasCorrected ? ["P50*", "P99*"] : [])
            + ["REQUESTS EACH", "ROUNDS EACH", "BYTES EACH", "RETRIES"]
        let rows = ReportRows(report).rows.map { side, row in
            (isCompared ? [side.name] : []) + [row.kind, row.name.isEmpty ? "(all)" : row.name]
                + [Shown.count(row.counts.sessions), Shown.count(row.counts.failed)]
                + (row.latency?.cells ?? LatencyFigures.noCells)
                + (hasCorrected ? [row.corrected?.p50, row.corrected?.p99].map { $0.map(Shown.time) ?? "-" } : [])
                + row.counts.cellsEach + [Shown.count(row.counts.retries)]
        }
        return Console.table(header, rows) + "\n" + report.latencyNote
    }

    private var steps: String {
        let rows = report.sides.flatMap { side in
            side.steps.map { step in
                (isCompared ? [side.name] : []) + [step.kind, step.name, Shown.count(step.latency.count)]
                    + step.latency.cells
            }
        }
        guard !rows.isEmpty else { return "" }
        return Console.table((isCompared ? ["SIDE"] : []) + ["WHAT", "STEP", "COUNT"] + LatencyFigures.header, rows)
    }

    private var errors: String {
        let rows = report.sides.flatMap { side in
            side.errors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { kind, count in
                (isCompared ? [side.name] : []) + [Shown.count(count), kind]
            }
        }
        return rows.isEmpty ? "no errors" : Console.table((isCompared ? ["SIDE"] : []) + ["ERRORS", "KIND"], rows)
    }

    private var costs: String {
        report.sides.map { side in
            let name = isCompared ? "\(side.name): " : ""
            let rate =
                "\(name)\(Shown.significant(side.rate)) sessions/s, \(Shown.significant(side.requests_per_second)) requests/s"
            let spoken = side.all.counts.spoken.map { ", answered over \($0)" } ?? ""
            return rate + spoken + (side.server.map { "\n\(name)server: \($0.text)" } ?? "")
                + "\n\(name)load generator: "
                + side.bench.text
        }.joined(separator: "\n") + "\nmachine: \(report.machine.text)"
    }

    private var comparison: String {
        guard let comparison = report.comparison, !comparison.isEmpty else { return "" }
        let rows = comparison.map { figure in
            [figure.figure] + [figure.a, figure.b, figure.median, figure.least, figure.most].map(Shown.significant)
                + [figure.better == .unclear ? "unclear" : figure.better.rawValue]
        }
        return Console.table(["", "A", "B", "B ÷ A", "LEAST", "MOST", "BETTER"], rows)
            + "\n" + ComparedFigure.note(rounds: report.rounds)
    }

    private var warnings: String { report.warnings.map { "! \($0)" }.joined(separator: "\n") }
}

/// The rows of both sides, in the order in which they are compared: what, then side.
struct ReportRows {
    let rows: [(side: LoadReport.Side, row: LoadReport.Row)]

    init(_ report: LoadReport) {
        let all = report.sides.flatMap { side in side.rows.map { (side: side, row: $0) } }
        rows = all.sorted {
            ($0.row.kind, $0.row.name, $0.side.name) < ($1.row.kind, $1.row.name, $1.side.name)
        }
    }
}

extension LoadReport {
    /// From when latencies count, in a sentence.
    var latencyNote: String {
        var text =
            "latency counts from " + (pace.loop == "open" ? "the intended arrival" : "the session's beginning")
            + " to its end, of sessions that did not fail"
        if let expected = pace.expected_interval {
            text += "; * corrected for coordinated omission: a user should begin every \(Shown.time(expected))"
        } else if pace.loop == "closed" {
            text +=
                "; a slow server makes users wait, and what they would have asked meanwhile is not counted (--rate counts it)"
        }
        return text
    }
}

extension LoadReport.Counts {
    /// Requests, rounds and bytes of a session, on average.
    var cellsEach: [String] {
        guard sessions > 0 else { return ["-", "-", "-"] }
        func each(_ count: Int) -> Double { Double(count) / Double(sessions) }
        return [Shown.significant(each(requests)), Shown.significant(each(rounds)), Shown.bytes(each(bytes))]
    }
}

extension LoadReport.Server {
    var text: String {
        "\(Shown.fixed(cores_used, 2)) cores used"
            + (cpu_us_per_request.map { ", \(Shown.significant($0)) µs of CPU a request" } ?? "")
            + ", resident memory \(Shown.bytes(Double(resident_before))) before, "
            + "\(Shown.bytes(Double(resident_after))) after, \(Shown.bytes(Double(resident_peak))) at most"
    }
}

extension BenchHealth {
    var text: String {
        "\(Shown.fixed(cores_used, 2)) of \(cores_allowed) cores used"
            + (machine_idle.map { ", machine idle \(Shown.share($0))" } ?? "")
            + (loop_lateness.map { ", timers late \(Shown.time($0.p99)) (p99)" } ?? "")
            + (arrival_lateness.map { ", arrivals late \(Shown.time($0.p99)) (p99)" } ?? "")
            + ", \(Shown.count(in_flight_peak)) sessions at once at most"
    }
}

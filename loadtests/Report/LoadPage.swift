/// A report as one page for a browser: nothing in it comes from a network, and it follows the reader's light or dark.
struct LoadPage {
    let report: LoadReport

    init(_ report: LoadReport) { self.report = report }

    var text: String {
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"/><meta name="viewport" content="width=device-width"/>
        <title>\(HTML.text("longshore-bench \(report.verb)"))</title><style>\(LoadPageStyle.css)</style></head>
        <body><main>
        \(head)
        \(warnings)
        \(report.sides.map(tiles).joined(separator: "\n"))
        <div class="charts">\(LoadPageCharts(report: report).all.joined(separator: "\n"))</div>
        \(comparison)
        \(table)
        \(steps)
        \(errors)
        \(facts)
        </main><div id="tip" hidden=""></div><script>\(LoadPageStyle.script)</script></body></html>

        """
    }

    private var isCompared: Bool { report.sides.count > 1 }

    private var head: String {
        let rounds = report.rounds > 1 ? ", \(report.rounds) rounds" : ""
        let settings = report.settings.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
        return """
            <h1>\(HTML.text("longshore-bench \(report.verb)"))</h1>
            <p>\(HTML.text("\(report.pace.text); \(Shown.significant(report.duration_seconds)) s measured\(rounds), after "
                + "\(Shown.significant(report.warmup_seconds)) s of warm-up; seed \(report.seed); \(report.began)"))\
            \(report.interrupted ? "; <b>interrupted</b>" : "")</p>
            \(settings.isEmpty ? "" : "<p>\(HTML.text(settings))</p>")
            """
    }

    private var warnings: String {
        guard !report.warnings.isEmpty else { return "" }
        let items = report.warnings.map { "<li>\(HTML.text($0))</li>" }.joined()
        return "<div class=\"warn\"><b>Read the figures with care</b><ul>\(items)</ul></div>"
    }

    private func tiles(_ side: LoadReport.Side) -> String {
        let latency = side.all.latency
        var tiles: [(String, String)] = [
            (latency.map { Shown.time($0.p50) } ?? "-", "latency p50"),
            (latency.map { Shown.time($0.p99) } ?? "-", "latency p99"),
            (latency.map { Shown.time($0.max) } ?? "-", "slowest"),
            (Shown.significant(side.rate), "sessions a second"),
            (Shown.significant(side.requests_per_second), "requests a second"),
        ]
        if let cost = side.server?.cpu_us_per_request {
            tiles.append((Shown.significant(cost) + " µs", "server CPU a request"))
        }
        let shown = tiles.map { "<div class=\"tile\"><b>\(HTML.text($0.0))</b><span>\(HTML.text($0.1))</span></div>" }
        let counts = side.all.counts
        let failed =
            "<div class=\"tile\(counts.failed > 0 ? " bad" : "")\"><b>\(Shown.count(counts.failed))</b>"
            + "<span>failed of \(Shown.count(counts.sessions)) sessions</span></div>"
        let name = isCompared ? "<i class=\"name \(side.name.lowercased())\"></i>\(side.name) " : ""
        return "<h2>\(name)<span class=\"addr\">\(HTML.text(side.target))</span></h2>"
            + "<div class=\"tiles\">\(shown.joined())\(failed)</div>"
    }

    private var comparison: String {
        guard let comparison = report.comparison, !comparison.isEmpty else { return "" }
        let rows = comparison.map { figure in
            [figure.figure] + [figure.a, figure.b, figure.median, figure.least, figure.most].map(Shown.significant)
                + [figure.better == .unclear ? "unclear" : figure.better.rawValue]
        }
        return "<h2>B ÷ A</h2>"
            + HTML.table(["figure", "A", "B", "B ÷ A (median)", "least", "most", "better"], rows)
            + "<p class=\"note\">\(ComparedFigure.note(rounds: report.rounds)).</p>"
    }

    private var hasCorrected: Bool { report.sides.contains { $0.all.corrected != nil } }

    private var table: String {
        let rows = ReportRows(report).rows.map { side, row in
            (isCompared ? [side.name] : []) + [row.kind, row.name.isEmpty ? "(all)" : row.name]
                + [Shown.count(row.counts.sessions), Shown.count(row.counts.failed)]
                + (row.latency?.cells ?? LatencyFigures.noCells)
                + (hasCorrected ? [row.corrected?.p50, row.corrected?.p99].map { $0.map(Shown.time) ?? "-" } : [])
                + row.counts.cellsEach + [Shown.count(row.counts.retries)]
        }
        let header =
            (isCompared ? ["side"] : []) + ["what", "name", "sessions", "failed", "p50", "p90", "p99", "p99.9", "max"]
            + (hasCorrected ? ["p50*", "p99*"] : []) + ["requests each", "rounds each", "bytes each", "retries"]
        return "<h2>Sessions</h2>" + HTML.table(header, rows, texts: isCompared ? 3 : 2)
            + "<p class=\"note\">\(HTML.text(report.latencyNote)).</p>"
    }

    private var steps: String {
        let rows = report.sides.flatMap { side in
            side.steps.map { step in
                (isCompared ? [side.name] : []) + [step.kind, step.name, Shown.count(step.latency.count)]
                    + step.latency.cells
            }
        }
        guard !rows.isEmpty else { return "" }
        let header = ["what", "step", "count", "p50", "p90", "p99", "p99.9", "max"]
        return "<h2>Steps</h2>"
            + HTML.table((isCompared ? ["side"] : []) + header, rows, texts: isCompared ? 3 : 2)
    }

    private var errors: String {
        let rows = report.sides.flatMap { side in
            side.errors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { kind, count in
                (isCompared ? [side.name] : []) + [kind, Shown.count(count)]
            }
        }
        guard !rows.isEmpty else { return "<h2>Errors</h2><p>None.</p>" }
        return "<h2>Errors</h2>"
            + HTML.table((isCompared ? ["side"] : []) + ["kind", "count"], rows, texts: isCompared ? 2 : 1)
    }

    private var facts: String {
        let sides = report.sides.flatMap { side in
            let name = isCompared ? "\(side.name): " : ""
            let spoken = side.all.counts.spoken.map { [["\(name)answered over", $0]] } ?? []
            let server = side.server.map { [["\(name)server", $0.text]] } ?? []
            return spoken + server + [["\(name)load generator", side.bench.text]]
        }
        let version = report.version + (report.commit.map { ", commit \($0)" } ?? "")
        let rows = sides + [["machine", report.machine.text], ["longshore-bench", version]]
        return "<h2>Where</h2>" + HTML.table(["", ""], rows, texts: 2)
    }
}

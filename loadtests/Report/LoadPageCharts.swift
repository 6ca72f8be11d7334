/// The drawings of a page.
struct LoadPageCharts {
    let report: LoadReport

    var all: [String] {
        guard report.sides.contains(where: { $0.all.latency != nil }) else { return [] }
        return [byPercentile.svg, latencyOverTime.svg, rateOverTime.svg] + (applications.map { [$0.svg] } ?? [])
    }

    private func name(_ side: LoadReport.Side, _ what: String) -> String {
        report.sides.count > 1 ? "\(side.name) \(what)" : what
    }

    private func css(_ side: LoadReport.Side) -> String { side.name.lowercased() }

    // MARK: Latency by percentile

    private var byPercentile: LineChart {
        let count = report.sides.compactMap(\.all.latency?.count).max() ?? 1
        let axis = ChartAxis.percentiles(count: count)
        let curves = report.sides.flatMap {
            side -> [(name: String, side: String, isDashed: Bool, curve: [CurvePoint])] in
            let corrected = side.corrected_curve.map { [(name(side, "corrected"), css(side), true, $0)] } ?? []
            return [(name(side, "latency"), css(side), false, side.curve)] + corrected
        }
        let lines = curves.map { curve in
            LineChart.Line(
                name: curve.name, side: curve.side, isDashed: curve.isDashed,
                points: curve.curve.map { (place($0.percent, axis), $0.milliseconds) })
        }
        let values = curves.flatMap { $0.curve.map(\.milliseconds) }
        return LineChart(
            title: "Latency by percentile", x: axis, y: .values("latency", values, label: Shown.time), lines: lines,
            tips: tips(curves.map { ($0.name, $0.curve) }, axis))
    }

    /// 100 % has no place on the axis and stands at its end.
    private func place(_ percent: Double, _ axis: ChartAxis) -> Double {
        percent >= 100 ? axis.range.upperBound : min(-logTen(1 - percent / 100), axis.range.upperBound)
    }

    private func tips(_ curves: [(name: String, curve: [CurvePoint])], _ axis: ChartAxis) -> [(x: Double, text: String)]
    {
        var texts: [Double: [String]] = [:]
        for (name, curve) in curves {
            for point in curve { texts[point.percent, default: []].append("\(name) \(Shown.time(point.milliseconds))") }
        }
        return texts.map { percent, texts in
            let digits = percent > 99.9 ? 4 : percent > 99 ? 3 : percent > 90 ? 2 : 1
            return (place(percent, axis), (["\(Shown.fixed(percent, digits)) %"] + texts).joined(separator: " | "))
        }
    }

    // MARK: Over time

    private var latencyOverTime: LineChart {
        let lines = report.sides.flatMap { side in
            rounds(side).flatMap { moments in
                [
                    LineChart.Line(
                        name: name(side, "p50"), side: css(side), points: moments.map { (Double($0.seconds), $0.p50) }),
                    LineChart.Line(
                        name: name(side, "p99"), side: css(side), isDashed: true,
                        points: moments.map { (Double($0.seconds), $0.p99) }),
                ]
            }
        }
        return overTime("Latency over time", "latency", lines, label: Shown.time)
    }

    private var rateOverTime: LineChart {
        let lines = report.sides.flatMap { side in
            rounds(side).map { moments in
                LineChart.Line(
                    name: name(side, "sessions a second"), side: css(side),
                    points: moments.map { (Double($0.seconds), $0.rate) })
            }
        }
        let most = lines.flatMap(\.points).map(\.y).max() ?? 1
        return LineChart(
            title: "Rate over time", x: time,
            y: .linear("sessions a second", to: max(most, 0.001), label: Shown.significant), lines: lines,
            tips: momentTips, failures: failures)
    }

    private func overTime(
        _ title: String, _ axis: String, _ lines: [LineChart.Line], label: (Double) -> String
    ) -> LineChart {
        LineChart(
            title: title, x: time, y: .values(axis, lines.flatMap(\.points).map(\.y), label: label), lines: lines,
            tips: momentTips, failures: failures)
    }

    private var time: ChartAxis {
        .seconds(to: report.sides.flatMap { $0.timeline.map(\.seconds) }.max() ?? 0)
    }

    private var failures: [Double] {
        report.sides.flatMap { $0.timeline.filter { $0.failed > 0 }.map { Double($0.seconds) } }
    }

    private var momentTips: [(x: Double, text: String)] {
        report.sides.flatMap { side in
            side.timeline.map { moment in
                let parts = [
                    name(side, "after \(moment.seconds) s"), "\(Shown.significant(moment.rate)) sessions/s",
                    "p50 \(Shown.time(moment.p50))", "p99 \(Shown.time(moment.p99))", "failed \(moment.failed)",
                ]
                return (Double(moment.seconds), parts.joined(separator: " | "))
            }
        }
    }

    /// Lines end with their round: what lies between was the other side's turn.
    private func rounds(_ side: LoadReport.Side) -> [[LoadReport.Moment]] {
        Dictionary(grouping: side.timeline, by: \.round).sorted { $0.key < $1.key }.map(\.value)
    }

    // MARK: Applications

    /// The slowest first; nil for less than two.
    private var applications: RangeChart? {
        var latencies: [String: [(side: LoadReport.Side, latency: LatencyFigures)]] = [:]
        for (side, row) in ReportRows(report).rows where !row.name.isEmpty {
            if let latency = row.latency { latencies[row.name, default: []].append((side, latency)) }
        }
        guard latencies.count > 1 else { return nil }
        let sorted = latencies.sorted { first, second in
            let (a, b) = (first.value.first?.latency.p50 ?? 0, second.value.first?.latency.p50 ?? 0)
            return a == b ? first.key < second.key : a > b
        }
        let items = sorted.map { application, sides in
            RangeChart.Item(
                name: application,
                ranges: sides.map { side, latency in
                    (
                        css(side),
                        "\(name(side, application)): p50 \(Shown.time(latency.p50)), p99 \(Shown.time(latency.p99)), "
                            + "\(Shown.count(latency.count)) sessions", latency.p50, latency.p99
                    )
                })
        }
        return RangeChart(title: "Latency by application", items: items)
    }
}

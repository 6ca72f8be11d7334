/// For each application a bar from its median to its 99th percentile, both sides below each other.
struct RangeChart {
    struct Item {
        let name: String
        let ranges: [(side: String, tip: String, p50: Double, p99: Double)]
    }

    /// More would make nobody wiser; the table has them all.
    static let itemsMax = 60

    private static let (width, left, right, top, lane) = (720.0, 170.0, 24.0, 8.0, 13.0)

    let title: String
    let items: [Item]

    var svg: String {
        let shown = items.prefix(Self.itemsMax)
        let values = shown.flatMap { $0.ranges.flatMap { [$0.p50, $0.p99] } }
        let axis = ChartAxis.values("latency", values, label: Shown.time)
        let rows = shown.map(\.ranges.count)
        let bottom = rows.reduce(Self.top) { $0 + Double($1) * Self.lane + 7 }
        var (y, body) = (Self.top, "")
        for item in shown {
            body += self.item(item, at: y, axis)
            y += Double(item.ranges.count) * Self.lane + 7
        }
        let left = items.count - shown.count
        let note = left > 0 ? " (the slowest \(shown.count); \(left) more in the table)" : ""
        return """
            <figure><figcaption>\(HTML.text(title + note))</figcaption>
            <svg class="chart" viewBox="0 0 \(Int(Self.width)) \(Int(bottom + 44))" role="img" aria-label="\(HTML.text(title))">
            \(grid(axis, bottom))
            \(body)
            </svg></figure>
            """
    }

    private func px(_ value: Double, _ axis: ChartAxis) -> String {
        LineChart.shown(Self.left + axis.place(value) * (Self.width - Self.left - Self.right))
    }

    private func item(_ item: Item, at y: Double, _ axis: ChartAxis) -> String {
        let middle = LineChart.shown(y + Double(item.ranges.count) * Self.lane / 2)
        let name = item.name.count > 24 ? item.name.prefix(23) + "…" : item.name[...]
        let bars = item.ranges.enumerated().map { index, range in
            let line = LineChart.shown(y + (Double(index) + 0.5) * Self.lane)
            return """
                <g class="range \(range.side)"><title>\(HTML.text(range.tip))</title>\
                <line x1="\(px(range.p50, axis))" x2="\(px(range.p99, axis))" y1="\(line)" y2="\(line)"/>\
                <circle cx="\(px(range.p50, axis))" cy="\(line)" r="4"/>\
                <circle class="end" cx="\(px(range.p99, axis))" cy="\(line)" r="3"/></g>
                """
        }
        return "<text class=\"tick\" x=\"\(Int(Self.left - 10))\" y=\"\(middle)\" dy=\"0.32em\" text-anchor=\"end\">"
            + HTML.text(String(name)) + "</text>" + bars.joined()
    }

    private func grid(_ axis: ChartAxis, _ bottom: Double) -> String {
        let lines = axis.ticks.map { tick in
            let x = px(tick.value, axis)
            return "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(Int(Self.top))\" y2=\"\(Int(bottom))\"/>"
                + "<text class=\"tick\" x=\"\(x)\" y=\"\(Int(bottom + 16))\" text-anchor=\"middle\">"
                + HTML.text(tick.label) + "</text>"
        }
        let middle = Int((Self.left + Self.width - Self.right) / 2)
        return lines.joined()
            + "<text class=\"axis\" x=\"\(middle)\" y=\"\(Int(bottom + 36))\" text-anchor=\"middle\">"
            + "\(HTML.text(axis.title)): dot p50, ring p99</text>"
    }
}

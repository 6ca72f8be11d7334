/// Lines over two axes, as SVG that stands inside a page: its colours are the page's classes.
struct LineChart {
    struct Line {
        /// For the legend; lines of the same name are parts of one.
        let name: String
        /// `a` or `b`
        let side: String
        var isDashed = false
        let points: [(x: Double, y: Double)]
    }

    private static let size = (width: 720.0, height: 300.0)
    private static let margin = (left: 74.0, right: 24.0, top: 14.0, bottom: 48.0)

    let title: String
    let x: ChartAxis
    let y: ChartAxis
    let lines: [Line]
    /// What is said of a place on the x axis when the pointer is there.
    let tips: [(x: Double, text: String)]
    /// Places on the x axis where something failed.
    var failures: [Double] = []

    var svg: String {
        let (width, height) = Self.size
        return """
            <figure><figcaption>\(HTML.text(title))</figcaption>\(legend)
            <svg class="chart" viewBox="0 0 \(Int(width)) \(Int(height))" role="img" aria-label="\(HTML.text(title))" \
            data-tips="\(HTML.text(tipText))">
            \(grid)
            \(lines.map(path).joined(separator: "\n"))
            \(failures.map { "<circle class=\"fail\" cx=\"\(px($0))\" cy=\"\(Self.shown(bottom - 5))\" r=\"3.5\"/>" }.joined())
            <line class="cursor" y1="\(Int(Self.margin.top))" y2="\(Int(bottom))" hidden=""/>
            </svg></figure>
            """
    }

    private var right: Double { Self.size.width - Self.margin.right }
    private var bottom: Double { Self.size.height - Self.margin.bottom }

    private func px(_ value: Double) -> String {
        Self.shown(Self.margin.left + x.place(value) * (right - Self.margin.left))
    }

    private func py(_ value: Double) -> String { Self.shown(bottom - y.place(value) * (bottom - Self.margin.top)) }

    static func shown(_ value: Double) -> String { String((value * 10).rounded() / 10) }

    /// A legend for two lines and more.
    private var legend: String {
        var seen: [String] = []
        let items = lines.compactMap { line -> String? in
            guard !seen.contains(line.name) else { return nil }
            seen.append(line.name)
            return
                "<span class=\"key \(line.side)\(line.isDashed ? " dashed" : "")\"><i></i>\(HTML.text(line.name))</span>"
        }
        let failed = failures.isEmpty ? "" : "<span class=\"key fail\"><b></b>sessions failed</span>"
        return items.count + failures.count > 1 ? "<div class=\"legend\">\(items.joined())\(failed)</div>" : ""
    }

    private var grid: String {
        let (left, top) = (Self.margin.left, Self.margin.top)
        let horizontal = y.ticks.map { tick in
            "<line class=\"grid\" x1=\"\(Int(left))\" x2=\"\(Int(right))\" y1=\"\(py(tick.value))\" y2=\"\(py(tick.value))\"/>"
                + "<text class=\"tick\" x=\"\(Int(left - 8))\" y=\"\(py(tick.value))\" dy=\"0.32em\" text-anchor=\"end\">"
                + "\(HTML.text(tick.label))</text>"
        }
        let vertical = x.ticks.map { tick in
            "<line class=\"grid\" y1=\"\(Int(top))\" y2=\"\(Int(bottom))\" x1=\"\(px(tick.value))\" x2=\"\(px(tick.value))\"/>"
                + "<text class=\"tick\" x=\"\(px(tick.value))\" y=\"\(Int(bottom + 17))\" text-anchor=\"middle\">"
                + "\(HTML.text(tick.label))</text>"
        }
        let middle = (left + right) / 2
        return (horizontal + vertical).joined() + """
            <text class="axis" x="\(Int(middle))" y="\(Int(Self.size.height - 8))" text-anchor="middle">\(HTML.text(x.title))</text>
            <text class="axis" transform="translate(14 \(Int((top + bottom) / 2))) rotate(-90)" text-anchor="middle">\
            \(HTML.text(y.title))</text>
            """
    }

    private func path(_ line: Line) -> String {
        let classes = "line \(line.side)\(line.isDashed ? " dashed" : "")"
        // A path of one point is invisible.
        if line.points.count == 1, let point = line.points.first {
            return "<circle class=\"dot \(line.side)\" cx=\"\(px(point.x))\" cy=\"\(py(point.y))\" r=\"2.5\"/>"
        }
        let steps = line.points.enumerated().map { "\($0 == 0 ? "M" : "L")\(px($1.x)) \(py($1.y))" }
        return "<path class=\"\(classes)\" d=\"\(steps.joined())\"/>"
    }

    /// A line each: the place in the drawing, a space, the text.
    private var tipText: String {
        tips.sorted { $0.x < $1.x }.map { "\(px($0.x)) \($0.text)" }.joined(separator: "\n")
    }
}

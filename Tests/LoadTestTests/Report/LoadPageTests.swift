import Testing

@testable import LoadTest

struct LoadPageTests {
    @Test(arguments: [1, 2])
    func `a page needs no network`(sides: Int) throws {
        let page = LoadPage(try MadeReport.report(sides: sides, failing: true)).text
        for reference in [" src=", " href=", "url(", "@import", "fetch(", "import(", "<link", "<iframe"] {
            #expect(!page.contains(reference), "\(reference)")
        }
    }

    @Test(arguments: [1, 2])
    func `every tag is closed in its order`(sides: Int) throws {
        let page = LoadPage(try MadeReport.report(sides: sides, failing: true)).text
        var open: [Substring] = []
        for tag in page.matches(of: #/<(/?)([a-z1-6]+)(?:\s[^<>]*?)?(/?)>/#) {
            switch (tag.output.1, tag.output.3) {
            case ("/", _): #expect(open.popLast() == tag.output.2)
            case (_, "/"): break
            default: open.append(tag.output.2)
            }
        }
        #expect(open.isEmpty)
        #expect(page.matches(of: #/<svg /#).count == 4)
        #expect(!page.contains("nan"))
        #expect(!page.contains("=\"inf"))
    }

    @Test func `names and errors can't become part of the page`() throws {
        let evil = #"<script>alert("1")</script>&'"#
        let page = LoadPage(try MadeReport.report(sides: 1, failing: true, application: evil)).text
        #expect(page.matches(of: #/<script>/#).count == 1)
        #expect(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;-1"))
    }

    @Test func `a page says what makes it doubtful, and what failed`() throws {
        let page = LoadPage(try MadeReport.report(sides: 2, failing: true)).text
        #expect(page.contains("status 503"))
        #expect(page.contains("failed of 1,000 sessions"))
        #expect(page.contains("B ÷ A"))
    }

    @Test(arguments: [(0.007, 0.0), (1, 0), (42, 0), (950, 0), (12_345, 0)])
    func `an axis goes beyond the largest value in round steps`(most: Double, least: Double) {
        let axis = ChartAxis.linear("x", to: most) { Shown.significant($0) }
        #expect(axis.range.lowerBound == 0)
        #expect(axis.range.upperBound >= most)
        #expect((3...8).contains(axis.ticks.count))
        #expect(axis.place(axis.range.upperBound) == 1)
        #expect(axis.place(least) == 0)
    }

    @Test func `values far apart get an axis of powers`() {
        let axis = ChartAxis.values("x", [0.3, 4, 900], label: Shown.time)
        #expect(axis.isLogarithmic)
        #expect(axis.range.lowerBound <= 0.3 && axis.range.upperBound >= 900)
        #expect(ChartAxis.values("x", [3, 4, 9], label: Shown.time).isLogarithmic == false)
        #expect(ChartAxis.values("x", [], label: Shown.time).ticks.count == 1)
    }

    @Test func `nines are equally far apart`() {
        let axis = ChartAxis.percentiles(count: 10_000)
        #expect(axis.ticks.map(\.label) == ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"])
        #expect(axis.place(2) - axis.place(1) == axis.place(3) - axis.place(2))
    }
}

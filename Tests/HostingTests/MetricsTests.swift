import CoreMetrics
import Testing

@testable import Hosting

struct MetricsTests {
    let metrics = PrometheusMetrics(seriesMax: 3)

    @Test func `a counter is written with help, type and labels`() {
        let counter = Counter(
            label: Metric.requests.rawValue, dimensions: [("status", "200"), ("route", "/a\"b\\c\nd")], factory: metrics
        )
        counter.increment()
        counter.increment(by: 4)
        #expect(
            metrics.text().contains(
                """
                # HELP longshore_http_requests_total Requests answered, by route, method and status.
                # TYPE longshore_http_requests_total counter
                longshore_http_requests_total{route="/a\\"b\\\\c\\nd",status="200"} 5

                """))
    }

    @Test func `the same name and labels are the same series, whoever makes it`() {
        for _ in 0..<5 { Counter(label: "a_total", dimensions: [("x", "1")], factory: metrics).increment() }
        #expect(metrics.text().contains("a_total{x=\"1\"} 5\n"))
    }

    @Test func `a gauge goes up and down`() {
        let meter = Meter(label: "busy", factory: metrics)
        meter.increment()
        meter.increment()
        meter.decrement()
        Gauge(label: "level", factory: metrics).record(2.5)
        #expect(metrics.text().contains("# TYPE busy gauge\nbusy 1\n"))
        #expect(metrics.text().contains("# TYPE level gauge\nlevel 2.5\n"))
    }

    @Test func `a timer is a histogram of seconds with cumulative buckets`() {
        let timer = Timer(label: "took_seconds", dimensions: [("route", "r")], factory: metrics)
        for milliseconds in [1, 3, 40_000] { timer.recordMilliseconds(milliseconds) }
        let text = metrics.text()
        #expect(text.contains("# TYPE took_seconds histogram\n"))
        #expect(text.contains("took_seconds_bucket{route=\"r\",le=\"0.0005\"} 0\n"))
        #expect(text.contains("took_seconds_bucket{route=\"r\",le=\"0.001\"} 1\n"))
        #expect(text.contains("took_seconds_bucket{route=\"r\",le=\"0.005\"} 2\n"))
        #expect(text.contains("took_seconds_bucket{route=\"r\",le=\"30\"} 2\n"))
        #expect(text.contains("took_seconds_bucket{route=\"r\",le=\"+Inf\"} 3\n"))
        #expect(text.contains("took_seconds_sum{route=\"r\"} 40.004\ntook_seconds_count{route=\"r\"} 3\n"))
    }

    @Test func `label sets beyond the limit are counted together`() {
        for number in 0..<50 {
            Counter(label: "many_total", dimensions: [("n", "\(number)")], factory: metrics).increment()
        }
        let lines = metrics.text().split(separator: "\n").filter { $0.hasPrefix("many_total{") }
        #expect(lines.count == 4)
        #expect(lines.contains("many_total{n=\"other\"} 47"))
        #expect(metrics.text().contains("longshore_metric_series_refused_total 47\n"))
    }

    @Test func `a name of two kinds is not shown twice`() {
        Counter(label: "odd", factory: metrics).increment()
        Meter(label: "odd", factory: metrics).set(7)
        #expect(metrics.text().split(separator: "\n").filter { $0.hasPrefix("# TYPE odd ") }.count == 1)
        #expect(metrics.text().contains("\nodd 1\n"))
    }

    @Test func `gauges can be set when they are read`() {
        let gauge = Gauge(label: "fresh", factory: metrics)
        metrics.onRead { gauge.record(1) }
        #expect(metrics.text().contains("fresh 1\n"))
    }

    #if os(Linux)
        @Test(arguments: ["process_resident_memory_bytes", "process_open_fds", "process_uptime_seconds"])
        func `the process tells of itself`(name: String) throws {
            let line = try #require(metrics.text().split(separator: "\n").first { $0.hasPrefix("\(name) ") })
            #expect(try #require(Double(line.dropFirst(name.count + 1))) >= 0)
        }
    #endif

    @Test(arguments: Metric.allCases)
    func `every name fits Prometheus' customs`(metric: Metric) {
        #expect(PrometheusText.name(metric.rawValue) == metric.rawValue)
        #expect(metric.rawValue.hasPrefix("longshore_"))
        #expect(metric.help.hasSuffix(".") && !metric.help.contains("\n"))
    }
}

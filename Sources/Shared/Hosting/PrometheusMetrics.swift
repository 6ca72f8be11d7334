package import CoreMetrics
import Synchronization

/// swift-metrics' backend: keeps the numbers, and writes them as Prometheus' text format.
///
/// Bounded: at most `seriesMax` label sets a name; what comes later is counted under labels that all say `other`,
/// and `longshore_metric_series_refused_total` tells. Series live as long as the process, since a counter that
/// starts again from nothing would look like a restart.
package final class PrometheusMetrics: Sendable {
    /// The process's own, made the system's backend on first use.
    package static let system: PrometheusMetrics = {
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        return metrics
    }()

    /// Upper bounds of all histograms. They are made for seconds: record sizes as counters or gauges.
    package static let buckets: [Double] = [
        0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    private let seriesMax: Int
    private let state = Mutex(State())

    private struct State {
        var families: [String: Family] = [:]
        var refused = 0
        var refreshers: [@Sendable () -> Void] = []
    }

    struct Family {
        let kind: Series.Kind
        var series: [String: Series] = [:]
    }

    /// - Parameter seriesMax: label sets a name.
    package init(seriesMax: Int = 500) { self.seriesMax = seriesMax }

    /// Runs `refresh` before each reading, to set gauges that nobody would set otherwise.
    package func onRead(_ refresh: @escaping @Sendable () -> Void) {
        state.withLock { $0.refreshers.append(refresh) }
    }

    /// All metrics in Prometheus' text format, version 0.0.4; families and label sets in alphabetical order.
    package func text() -> String {
        for refresh in state.withLock({ $0.refreshers }) { refresh() }
        let (families, refused) = state.withLock { ($0.families, $0.refused) }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text += PrometheusText.head(name, family.kind)
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                text += PrometheusText.samples(name, labels, series.snapshot())
            }
        }
        text += PrometheusText.head("longshore_metric_series_refused_total", .counter)
        text += "longshore_metric_series_refused_total \(refused)\n"
        return text + ProcessMetrics.text()
    }

    private func series(_ label: String, _ dimensions: [(String, String)], _ kind: Series.Kind) -> Series {
        let name = PrometheusText.name(label)
        return state.withLock { state in
            var family = state.families[name] ?? Family(kind: kind)
            // One name with two kinds is a slip of ours: the numbers are kept apart, and not shown.
            guard family.kind == kind else {
                state.refused += 1
                return Series(kind: kind)
            }
            let room = family.series.count < seriesMax
            let wanted = PrometheusText.labels(dimensions)
            let key =
                room || family.series[wanted] != nil
                ? wanted : PrometheusText.labels(dimensions.map { ($0.0, "other") })
            if key != wanted { state.refused += 1 }
            if let known = family.series[key] { return known }
            let made = Series(kind: kind)
            family.series[key] = made
            state.families[name] = family
            return made
        }
    }
}

extension PrometheusMetrics: MetricsFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(label, dimensions, aggregate ? .histogram : .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram)
    }

    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

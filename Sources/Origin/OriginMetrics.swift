import CoreMetrics
import Hosting
import Postgres

/// Figures that are read when somebody asks for them, rather than counted on the way.
enum OriginMetrics {
    static func follow(_ slices: OriginSlices) {
        PrometheusMetrics.system.onRead {
            let figures = slices.pool.figures
            Metric.poolConnections.gauge(["state": "busy"]).record(figures.busy)
            Metric.poolConnections.gauge(["state": "idle"]).record(figures.idle)
            Metric.feedEdges.gauge().record(slices.streams.summary.edges)
            if let head = slices.tail.head { Metric.feedHead.gauge().record(Double(head)) }
        }
    }
}

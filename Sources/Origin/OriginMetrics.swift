import CoreMetrics
import Hosting
import Postgres
import Synchronization

/// Figures that are read when somebody asks for them, rather than counted on the way.
enum OriginMetrics {
    static func follow(_ slices: OriginSlices) {
        let counted = PoolCounts()
        PrometheusMetrics.system.onRead {
            let figures = slices.pool.figures
            Metric.poolConnections.gauge(["state": "busy"]).record(figures.busy)
            Metric.poolConnections.gauge(["state": "idle"]).record(figures.idle)
            Metric.poolWaiting.gauge().record(figures.waiting)
            counted.bringUp(to: figures)
            Metric.feedEdges.gauge().record(slices.streams.summary.edges)
            if let head = slices.tail.head { Metric.feedHead.gauge().record(Double(head)) }
        }
    }
}

/// Counters that follow what the pool has counted itself.
private final class PoolCounts: Sendable {
    private let told = Mutex<(retries: UInt64, errors: [String: UInt64])>((0, [:]))

    func bringUp(to figures: PoolFigures) {
        told.withLock { told in
            // Even if nothing has happened yet, so that a rate can be computed from the first error on.
            Metric.postgresRetries.counter().increment(by: Int64(figures.retries - told.retries))
            for (kind, count) in figures.errors {
                let new = count - told.errors[kind, default: 0]
                Metric.postgresErrors.counter(["kind": kind]).increment(by: Int64(new))
            }
            told = (figures.retries, figures.errors)
        }
    }
}

import CoreMetrics
import Hosting

/// Counters of cache reads, made once, because making one takes a look-up.
struct CacheMeters: Sendable {
    private let counters: [[Counter]]

    init() {
        counters = ["config", "index", "crate"].map { kind in
            ["hit", "miss", "stale"].map { Metric.cacheReads.counter(["kind": kind, "result": $0]) }
        }
    }

    func read(_ target: EdgePath.Target, _ result: CacheState) {
        let row =
            switch target {
            case .config: 0
            case .index: 1
            case .crate: 2
            }
        let column =
            switch result {
            case .hit: 0
            case .miss: 1
            case .stale: 2
            }
        counters[row][column].increment()
    }
}

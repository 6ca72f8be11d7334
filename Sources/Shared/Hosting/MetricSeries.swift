import CoreMetrics
import Synchronization

/// One time series: a number, or a histogram. One class plays all of swift-metrics' handlers.
final class Series: Sendable {
    enum Kind: String {
        case counter
        case gauge
        case histogram
    }

    enum Snapshot: Equatable {
        case number(Double)
        /// `counts[i]` values were at most `PrometheusMetrics.buckets[i]`; not cumulative; the last is the rest.
        case histogram(counts: [Int], sum: Double)
    }

    private let kind: Kind
    private let state: Mutex<State>

    private struct State {
        var number = 0.0
        var counts: [Int] = []
    }

    init(kind: Kind) {
        self.kind = kind
        let places = kind == .histogram ? PrometheusMetrics.buckets.count + 1 : 0
        state = Mutex(State(counts: Array(repeating: 0, count: places)))
    }

    func snapshot() -> Snapshot {
        state.withLock { state in
            kind == .histogram ? .histogram(counts: state.counts, sum: state.number) : .number(state.number)
        }
    }

    private func add(_ amount: Double) { state.withLock { $0.number += amount } }

    private func observe(_ value: Double) {
        let place = PrometheusMetrics.buckets.firstIndex { value <= $0 } ?? PrometheusMetrics.buckets.count
        state.withLock { state in
            state.counts[place] += 1
            state.number += value
        }
    }
}

extension Series: CounterHandler, FloatingPointCounterHandler {
    func increment(by amount: Int64) { add(Double(amount)) }
    func reset() { state.withLock { $0.number = 0 } }
}

extension Series: MeterHandler, RecorderHandler {
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.number = value } }
    func increment(by amount: Double) { add(amount) }
    func decrement(by amount: Double) { add(-amount) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { kind == .histogram ? observe(value) : set(value) }
}

extension Series: TimerHandler {
    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
}

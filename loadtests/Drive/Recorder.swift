import NIOCore
import Synchronization

/// Gathers the records of a phase, from any thread, and knows what the last second was like.
final class Recorder: Sendable {
    /// What the progress line shows.
    struct Moment: Sendable {
        var latency = LatencyHistogram()
        var failed = 0
    }

    /// Sessions that have begun, and how many of them were under way at once, at most.
    struct Flight: Sendable {
        var begun = 0
        var ended = 0
        var peak = 0

        var underWay: Int { begun - ended }
    }

    private struct State {
        var figures: PhaseFigures
        var moment = Moment()
        var flight = Flight()
        var isClosed = false
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - secondsPerPoint: of the curves over time.
    ///   - expectedInterval: for the column corrected for coordinated omission; nil for none.
    init(secondsPerPoint: Int = 1, expectedInterval: TimeAmount? = nil) {
        state = Mutex(
            State(figures: PhaseFigures(secondsPerPoint: secondsPerPoint, expectedInterval: expectedInterval)))
    }

    var figures: PhaseFigures { state.withLock { $0.figures } }

    /// What ends from here on counts no more.
    func close() -> Flight {
        state.withLock { state in
            state.isClosed = true
            return state.flight
        }
    }

    func begin(at began: NIODeadline, end: NIODeadline) {
        state.withLock { $0.figures.begin(at: began, end: end) }
    }

    /// A session begins; `add` ends it.
    func beginSession() {
        state.withLock { state in
            state.flight.begun += 1
            state.flight.peak = max(state.flight.peak, state.flight.underWay)
        }
    }

    func add(_ record: SessionRecord) {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.flight.ended += 1
            state.figures.add(record)
            if record.hasFailed {
                state.moment.failed += 1
            } else {
                state.moment.latency.record(record.ended - record.intended)
            }
        }
    }

    /// What came since the last call.
    func takeMoment() -> Moment {
        state.withLock { state in
            defer {
                state.moment.latency.removeAll()
                state.moment.failed = 0
            }
            return state.moment
        }
    }
}

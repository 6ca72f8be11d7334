import Synchronization

/// The progress line of one round.
final class RequestProgress: Sendable {
    private let label: String
    private let duration: Duration
    private let line = ProgressLine()
    /// What was not shown yet.
    private let waiting = Mutex(Recorder.Moment())

    init(_ label: String, of duration: Duration) {
        self.label = label
        self.duration = duration
    }

    /// - Parameter second: of the round.
    func show(_ second: Int, _ latest: Recorder.Moment) {
        waiting.withLock { moment in
            moment.latency.merge(latest.latency)
            moment.failed += latest.failed
            if line.show(label, tick: second, of: duration, peek: { moment }) { moment = Recorder.Moment() }
        }
    }

    func end() { line.end() }
}

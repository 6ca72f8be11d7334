import NIOCore

/// What one measured phase showed: by row, and over time.
struct PhaseFigures: Sendable {
    /// A row of the report. Without a name: all sessions of the kind.
    struct Row: Hashable, Sendable {
        var kind: SessionRecord.Kind
        var name = ""
    }

    /// A part of a session that has a time of its own.
    struct Step: Hashable, Sendable {
        var kind: SessionRecord.Kind
        var name: String
    }

    /// A stretch of time.
    struct Point: Sendable {
        /// Since the phase began.
        var seconds: Int
        /// Failed ones included.
        var sessions = 0
        var failed = 0
        var p50 = 0.0
        var p99 = 0.0
    }

    /// Rows with names, and steps, at most; what comes later counts in the row without a name only.
    static let rowsMax = 200

    private(set) var all = Tally()
    private(set) var rows: [Row: Tally] = [:]
    private(set) var steps: [Step: LatencyHistogram] = [:]
    private(set) var points: [Point] = []
    /// Sessions that ended within the planned time: rates count them, whatever is waited for afterwards.
    private(set) var endedInTime = 0
    /// Those of them that got what they came for.
    private(set) var servedInTime = 0

    private let secondsPerPoint: Int
    private let expectedInterval: TimeAmount?
    private var began = NIODeadline.uptimeNanoseconds(0)
    private var end = NIODeadline.distantFuture
    private var current = Recorder.Moment()
    private var currentIndex: Int64 = 0

    init(secondsPerPoint: Int, expectedInterval: TimeAmount?) {
        self.secondsPerPoint = secondsPerPoint
        self.expectedInterval = expectedInterval
    }

    /// What was tallied elsewhere, all of one kind and within the planned time.
    init(_ tally: Tally, kind: SessionRecord.Kind, points: [Point]) {
        self.init(secondsPerPoint: 1, expectedInterval: nil)
        all = tally
        rows = [Row(kind: kind): tally]
        self.points = points
        endedInTime = tally.sessions
        servedInTime = tally.sessions - tally.failed
    }

    mutating func begin(at began: NIODeadline, end: NIODeadline) {
        self.began = began
        self.end = end
    }

    mutating func add(_ record: SessionRecord) {
        all.add(record, expectedInterval: expectedInterval)
        if record.ended <= end {
            endedInTime += 1
            servedInTime += record.hasFailed ? 0 : 1
        }
        add(record, to: Row(kind: record.kind))
        if !record.name.isEmpty { add(record, to: Row(kind: record.kind, name: record.name)) }
        // A refusal that comes fast must not look like speed.
        for step in record.steps where !record.hasFailed {
            let key = Step(kind: record.kind, name: step.name)
            guard steps[key] != nil || steps.count < Self.rowsMax else { continue }
            steps[key, default: LatencyHistogram()].record(TimeAmount(step.took))
        }
        addToPoint(record)
    }

    /// Ends the last stretch; called once when all records are in.
    mutating func finish() { closePoint() }

    private mutating func add(_ record: SessionRecord, to row: Row) {
        guard rows[row] != nil || rows.count < Self.rowsMax else { return }
        rows[row, default: Tally()].add(record, expectedInterval: expectedInterval)
    }

    /// Records come in the order of their ends but for the scheduler's whims; a late one counts in the stretch that is open.
    private mutating func addToPoint(_ record: SessionRecord) {
        let index = (record.ended - began).nanoseconds / (Int64(secondsPerPoint) * 1_000_000_000)
        if index > currentIndex {
            closePoint()
            currentIndex = index
        }
        if record.hasFailed { current.failed += 1 } else { current.latency.record(record.ended - record.intended) }
    }

    private mutating func closePoint() {
        let (latency, failed) = (current.latency, current.failed)
        guard latency.count + failed > 0 else { return }
        points.append(
            Point(
                seconds: Int(currentIndex) * secondsPerPoint, sessions: latency.count + failed, failed: failed,
                p50: latency.milliseconds(at: 50), p99: latency.milliseconds(at: 99)))
        current.latency.removeAll()
        current.failed = 0
    }
}

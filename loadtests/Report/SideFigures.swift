import NIOCore

/// All measured phases of one side, added up.
struct SideFigures: Sendable {
    /// One phase, for the ratios between sides.
    struct Round: Sendable {
        var all: Tally
        var rate: Double
        /// Nil if the server's process was not read.
        var serverCPUMicrosecondsPerRequest: Double?
    }

    struct Moment: Sendable {
        var round: Int
        var point: PhaseFigures.Point
        /// Sessions a second that got what they came for.
        var rate: Double
    }

    let name: String
    let target: String
    private(set) var all = Tally()
    private(set) var rows: [PhaseFigures.Row: Tally] = [:]
    private(set) var steps: [PhaseFigures.Step: LatencyHistogram] = [:]
    private(set) var timeline: [Moment] = []
    private(set) var rounds: [Round] = []
    private(set) var endedInTime = 0
    private(set) var servedInTime = 0
    /// Within the planned times.
    private(set) var seconds = 0.0
    private(set) var costs: [PhaseCost] = []
    private(set) var arrivalLateness = LatencyHistogram()
    private(set) var heldBack = 0
    private(set) var neverBegan = 0
    private(set) var inFlightPeak = 0
    private(set) var abandoned = 0

    init(name: String, target: String) {
        self.name = name
        self.target = target
    }

    /// - Parameter offset: of the phase's beginning, since the run's.
    mutating func add(
        _ figures: PhaseFigures, _ outcome: PhaseOutcome, _ cost: PhaseCost, plannedSeconds: Double,
        secondsPerPoint: Int, offset: Int
    ) {
        let lasted = min(plannedSeconds, Double((outcome.drained - outcome.began).nanoseconds) / 1e9)
        all.merge(figures.all)
        rows.merge(figures.rows) { held, new in
            var sum = held
            sum.merge(new)
            return sum
        }
        steps.merge(figures.steps) { held, new in
            var sum = held
            sum.merge(new)
            return sum
        }
        endedInTime += figures.endedInTime
        servedInTime += figures.servedInTime
        seconds += lasted
        costs.append(cost)
        arrivalLateness.merge(outcome.lateness)
        heldBack += outcome.heldBack
        neverBegan += outcome.neverBegan
        inFlightPeak = max(inFlightPeak, outcome.inFlightPeak)
        abandoned += outcome.abandoned
        addTimeline(figures, lasted: lasted, secondsPerPoint: secondsPerPoint, offset: offset)
        let requests = Double(figures.all.requests)
        rounds.append(
            Round(
                all: figures.all, rate: lasted > 0 ? Double(figures.servedInTime) / lasted : 0,
                serverCPUMicrosecondsPerRequest: cost.server.flatMap {
                    requests > 0 ? $0.cpuSeconds * 1e6 / requests : nil
                }))
    }

    /// A stretch that the end of the phase cut short is divided by what was left of it. What was waited for after the
    /// end is in the histograms, but a rate of it would say nothing.
    private mutating func addTimeline(_ figures: PhaseFigures, lasted: Double, secondsPerPoint: Int, offset: Int) {
        for var point in figures.points where Double(point.seconds) < lasted {
            let length = min(Double(secondsPerPoint), lasted - Double(point.seconds))
            let isWhole = length >= Double(secondsPerPoint) / 2
            let rate = Double(point.sessions - point.failed) / (isWhole ? length : Double(secondsPerPoint))
            point.seconds += offset
            timeline.append(Moment(round: rounds.count + 1, point: point, rate: rate))
        }
    }
}

import NIOCore
import Synchronization

/// Makes sessions begin as a plan says, and hands each record on.
struct Driver: Sendable {
    /// A stretch of a run: a warm-up, or what is measured after it. It ends when the last of its sessions has.
    struct Phase: Sendable {
        var duration: Duration
        var sessionsMax: Int?
        /// Of what its sessions draw and when they arrive.
        var seed: UInt64
        /// Numbers are never used twice on one side, so that a maker may name things by them.
        var firstNumber: Int
    }

    /// A user whose session failed waits this long: a dead server is not hammered.
    private static let pauseAfterFailure: Duration = .milliseconds(100)

    let pace: DrivePlan.Pace
    let inFlightMax: Int
    let stop: StopFlag

    func run(_ phase: Phase, _ maker: any SessionMaker, into recorder: Recorder) async -> PhaseOutcome {
        switch pace {
        case .users(let users): await closedLoop(users, phase, maker, recorder)
        case .rate(let perSecond, let isPoisson):
            await openLoop(
                Arrivals(perSecond: perSecond, isPoisson: isPoisson, seed: phase.seed), phase, maker, recorder)
        }
    }

    private func closedLoop(
        _ users: Int, _ phase: Phase, _ maker: any SessionMaker, _ recorder: Recorder
    ) async -> PhaseOutcome {
        let began = NIODeadline.now()
        let end = began + TimeAmount(phase.duration)
        let taken = Counter()
        recorder.begin(at: began, end: end)
        await withDiscardingTaskGroup { group in
            for user in 0..<users {
                group.addTask {
                    while NIODeadline.now() < end, !stop.isSet {
                        let index = taken.next()
                        guard index < phase.sessionsMax ?? .max else { return }
                        let hasFailed = await session(index, user: user, at: .now(), phase, maker, recorder)
                        // Cancelled never, so a sleep does not throw.
                        if hasFailed { try? await Task.sleep(for: Self.pauseAfterFailure) }
                    }
                }
            }
        }
        let sessions = min(taken.count, phase.sessionsMax ?? .max)
        return PhaseOutcome(began: began, drained: .now(), sessions: sessions, inFlightPeak: min(users, sessions))
    }

    private func openLoop(
        _ arrivals: Arrivals, _ phase: Phase, _ maker: any SessionMaker, _ recorder: Recorder
    ) async -> PhaseOutcome {
        let began = NIODeadline.now()
        let end = began + TimeAmount(phase.duration)
        let flight = InFlight(max: inFlightMax)
        var outcome = PhaseOutcome(began: began, drained: began, sessions: 0, inFlightPeak: 0)
        recorder.begin(at: began, end: end)
        await withDiscardingTaskGroup { group in
            for arrival in arrivals {
                let intended = began + arrival
                guard intended < end, outcome.sessions < phase.sessionsMax ?? .max else { return }
                // Late already, and no place within the time: the report says how many these were.
                if NIODeadline.now() >= end {
                    outcome.neverBegan += 1
                    continue
                }
                await sleep(until: intended)
                guard !stop.isSet else { return }
                outcome.lateness.record(.now() - intended)
                if await !flight.enter() { outcome.heldBack += 1 }
                let index = outcome.sessions
                outcome.sessions += 1
                group.addTask {
                    _ = await session(index, user: phase.firstNumber + index, at: intended, phase, maker, recorder)
                    flight.leave()
                }
            }
        }
        outcome.drained = .now()
        outcome.inFlightPeak = flight.peak
        return outcome
    }

    /// - Returns: true if it failed.
    private func session(
        _ index: Int, user: Int, at intended: NIODeadline, _ phase: Phase, _ maker: any SessionMaker,
        _ recorder: Recorder
    ) async -> Bool {
        // Twice through the generator: neighbouring numbers must not draw alike.
        var numbered = SeededRandom(seed: phase.seed ^ UInt64(index))
        var random = SeededRandom(seed: numbered.next())
        recorder.beginSession()
        let record = await maker.session(
            user: user, number: phase.firstNumber + index, intended: intended, random: &random)
        recorder.add(record)
        return record.hasFailed
    }

    /// In steps, so that Ctrl-C is noticed between rare arrivals.
    private func sleep(until deadline: NIODeadline) async {
        while !stop.isSet {
            let left = deadline - .now()
            guard left > .zero else { return }
            let step = min(left, .milliseconds(200))
            // Cancelled never, so a sleep does not throw.
            try? await Task.sleep(for: .nanoseconds(step.nanoseconds), tolerance: .zero)
        }
    }
}

/// Numbers from 0 for whoever asks.
private final class Counter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .relaxed) }

    func next() -> Int { value.add(1, ordering: .relaxed).oldValue }
}

/// How a phase went, beside what its sessions recorded.
struct PhaseOutcome: Sendable {
    let began: NIODeadline
    /// When the last session had ended.
    var drained: NIODeadline
    var sessions: Int
    /// Sessions at once, at most.
    var inFlightPeak: Int
    /// Open loop: arrivals that had to wait because as many sessions were under way as may be.
    var heldBack = 0
    /// Open loop: arrivals within the time that never began, because the waiting used it up.
    var neverBegan = 0
    /// Open loop: how late the driver itself came to arrivals.
    var lateness = LatencyHistogram()
    /// Begun, and not waited for: a second Ctrl-C came.
    var abandoned = 0
}

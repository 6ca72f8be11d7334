import NIOCore

/// A server and what is done to it, while a run goes on.
struct RunSide {
    var figures: SideFigures
    let maker: any SessionMaker
    let pid: Int?
    /// Session numbers that are used up.
    var numbers = 0
}

/// The phases of a run: in each round a warm-up and a measurement of every side, A B A B.
struct RunRounds {
    let options: LoadOptions
    let stop: StopFlag
    let loops: LoopWatch
    private let progress = ProgressLine()
    private let began = NIODeadline.now()

    init(options: LoadOptions, stop: StopFlag, loops: LoopWatch) {
        self.options = options
        self.stop = stop
        self.loops = loops
    }

    func run(_ sides: [RunSide]) async throws -> [RunSide] {
        var sides = sides
        for round in 1...options.roundCount {
            for index in sides.indices where !stop.isSet {
                let label = label(round, sides[index], of: sides.count)
                try await warmUp(&sides[index], round, label)
                if !stop.isSet { try await measure(&sides[index], round, label) }
            }
        }
        return sides
    }

    /// - Throws: `BenchFailure` if nothing works from the start, so that a wrong address is not measured for ten minutes. What
    ///   breaks later is counted, and reported with what was measured before.
    private func warmUp(_ side: inout RunSide, _ round: Int, _ label: String) async throws {
        let plan = options.plan
        guard plan.warmUp > .zero else { return }
        let recorder = Recorder()
        _ = await drive(
            &side, Driver.Phase(duration: plan.warmUp, seed: seed(round, isWarmUp: true), firstNumber: side.numbers),
            recorder, "\(label) warm-up", meter: nil)
        let all = recorder.figures.all
        guard all.sessions == 0 || all.failed < all.sessions || !side.figures.rounds.isEmpty else {
            throw BenchFailure(
                "all \(Shown.count(all.failed)) sessions of the warm-up failed against \(side.figures.target): "
                    + WarmUpFailure(all.errors).text)
        }
    }

    private func measure(_ side: inout RunSide, _ round: Int, _ label: String) async throws {
        let plan = options.plan
        let planned = plan.duration / .seconds(1)
        let secondsPerPoint = max(1, Int(planned) * options.roundCount / LoadRun.pointsMax)
        let recorder = Recorder(
            secondsPerPoint: secondsPerPoint,
            expectedInterval: options.expectedInterval.map { TimeAmount($0.duration) })
        let offset = Int((NIODeadline.now() - began).nanoseconds / 1_000_000_000)
        // A process that ended after the first round leaves no figures, and the report says so.
        let pid = side.pid.flatMap { side.figures.rounds.isEmpty || ProcessTree.use(of: $0) != nil ? $0 : nil }
        let meter = try CostMeter(pid: pid, loops: loops)
        let outcome = await drive(
            &side,
            Driver.Phase(
                duration: plan.duration, sessionsMax: plan.sessionsMax, seed: seed(round, isWarmUp: false),
                firstNumber: side.numbers),
            recorder, label, meter: meter)
        let cost = meter.end()
        var figures = recorder.figures
        figures.finish()
        side.figures.add(
            figures, outcome, cost, plannedSeconds: planned, secondsPerPoint: secondsPerPoint, offset: offset)
    }

    private func drive(
        _ side: inout RunSide, _ phase: Driver.Phase, _ recorder: Recorder, _ label: String, meter: CostMeter?
    ) async -> PhaseOutcome {
        let driver = Driver(pace: options.plan.pace, inFlightMax: options.inFlightMax, stop: stop)
        let ticker = ticker(label, phase.duration, recorder, meter)
        let (maker, began) = (side.maker, NIODeadline.now())
        let outcome = await untilAbandoned(recorder, since: began) {
            await driver.run(phase, maker, into: recorder)
        }
        ticker.cancel()
        await ticker.value
        side.numbers += outcome.sessions
        return outcome
    }

    /// Waits for the work, or for a second Ctrl-C: then what has ended so far is the outcome.
    private func untilAbandoned(
        _ recorder: Recorder, since began: NIODeadline, _ work: @escaping @Sendable () async -> PhaseOutcome
    ) async -> PhaseOutcome {
        let (outcomes, continuation) = AsyncStream.makeStream(of: PhaseOutcome.self)
        let working = Task {
            let outcome = await work()
            continuation.yield(outcome)
            return outcome
        }
        let watching = Task { [stop] in
            while !stop.isAbandoned {
                do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
            }
            let flight = recorder.close()
            continuation.yield(
                PhaseOutcome(
                    began: began, drained: .now(), sessions: flight.begun, inFlightPeak: flight.peak,
                    abandoned: flight.underWay))
        }
        defer {
            working.cancel()
            watching.cancel()
        }
        for await outcome in outcomes { return outcome }
        return await working.value
    }

    private func ticker(_ label: String, _ duration: Duration, _ recorder: Recorder, _ meter: CostMeter?) -> Task<
        Void, Never
    > {
        Task { [progress] in
            var tick = 0
            while true {
                do { try await Task.sleep(for: .seconds(1)) } catch { break }
                tick += 1
                _ = progress.show(label, tick: tick, of: duration, peek: recorder.takeMoment)
                meter?.sample()
            }
            progress.end()
        }
    }

    private func label(_ round: Int, _ side: RunSide, of sides: Int) -> String {
        let number = options.roundCount > 1 ? "round \(round) of \(options.roundCount)" : ""
        let parts = [number, sides > 1 ? side.figures.name : ""].filter { !$0.isEmpty }
        return parts.isEmpty ? options.plan.pace.name : parts.joined(separator: ", ")
    }

    /// The same for both sides of a round; another for each round, and for its warm-up.
    private func seed(_ round: Int, isWarmUp: Bool) -> UInt64 {
        var random = SeededRandom(seed: options.plan.seed)
        for _ in 1..<round * 2 + (isWarmUp ? 0 : 1) { _ = random.next() }
        return random.next()
    }
}

extension DrivePlan.Pace {
    fileprivate var name: String {
        switch self {
        case .users(let users): users == 1 ? "1 user" : "\(users) users"
        case .rate(let perSecond, _): "\(Shown.significant(perSecond))/s"
        }
    }
}

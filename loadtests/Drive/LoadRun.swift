import ArgumentParser
import FoundationEssentials
import NIOCore

/// One run of a verb: drives its sessions against one server, or against two in turn, and reports.
///
/// A verb with sessions is its options and this one call:
///
///     try await LoadRun("resolve", options: load, settings: [("http", "h2")]).measure(target) { url in
///         try await ResolveMaker(url)
///     }
struct LoadRun {
    /// Curves over time have so many points at most.
    static let pointsMax = 1_800

    let verb: String
    let options: LoadOptions
    /// What the verb was told beside `options`, for the head of the report. No secrets.
    let settings: [(name: String, value: String)]

    init(_ verb: String, options: LoadOptions, settings: [(name: String, value: String)] = []) {
        self.verb = verb
        self.options = options
        self.settings = settings
    }

    /// Measures, shows progress on standard error, and prints and writes what was found.
    ///
    /// - Parameters:
    ///   - target: side A; `options.compare` is side B.
    ///   - maker: called once for each side before anything is measured.
    /// - Throws: `BenchFailure` after the report if a session failed, or at once if nothing can be measured.
    func measure(_ target: String, maker: (String) async throws -> any SessionMaker) async throws {
        if let html = options.html { try ReportFile.checkWritable(html) }
        let report = try await report(target, maker: maker)
        if let html = options.html { try ReportFile.write(LoadPage(report).text, to: html) }
        print(options.json ? try Console.json(report) : LoadReportText(report: report).text)
        guard report.sides.contains(where: { $0.all.counts.sessions > 0 }) else {
            throw BenchFailure("no session ended: nothing was measured")
        }
        guard report.failed == 0 else {
            throw BenchFailure(
                "\(Shown.count(report.failed)) sessions did not get what they came for; the table of errors says why")
        }
    }

    /// Measures, and shows progress on standard error.
    func report(_ target: String, maker: (String) async throws -> any SessionMaker) async throws -> LoadReport {
        var sides: [RunSide] = []
        for (name, url, pid) in [("A", target, options.pid), ("B", options.compare, options.comparePid)] {
            guard let url else { continue }
            sides.append(RunSide(figures: SideFigures(name: name, target: url), maker: try await maker(url), pid: pid))
        }
        let (stop, loops, machine, began) = (StopFlag(), LoopWatch(), Machine.here(), Date.now)
        let rounds = RunRounds(options: options, stop: stop, loops: loops)
        let first = sides
        let measured = try await stop.whileWatching {
            try await loops.whileWatching { try await rounds.run(first) }
        }
        return LoadReport(
            run: self, sides: measured.map(\.figures), machine: machine, began: began, interrupted: stop.isSet)
    }
}

extension LoadReport {
    init(run: LoadRun, sides: [SideFigures], machine: Machine, began: Date, interrupted: Bool) {
        let (options, plan) = (run.options, run.options.plan)
        format = Self.currentFormat
        verb = run.verb
        version = LoadTestCommand.configuration.version
        commit = ProcessInfo.processInfo.environment["BENCH_COMMIT"]
        self.began = began.ISO8601Format()
        self.machine = machine
        settings = run.settings.map { Setting(name: $0.name, value: $0.value) }
        pace = Pace(options)
        latency_from = options.rate == nil ? "beginning" : "intended arrival"
        warmup_seconds = plan.warmUp / .seconds(1)
        duration_seconds = plan.duration / .seconds(1)
        sessions_max = plan.sessionsMax
        seed = plan.seed
        rounds = sides.map(\.rounds.count).max() ?? 0
        self.interrupted = interrupted
        self.sides = sides.map { Side($0, coresAllowed: machine.cores_allowed) }
        comparison = sides.count == 2 ? ComparedFigure.all(sides[0].rounds, sides[1].rounds) : nil
        let spoken = self.sides.compactMap(\.all.counts.spoken)
        let differing =
            spoken.count == 2 && spoken[0] != spoken[1]
            ? ["A was answered over \(spoken[0]), B over \(spoken[1]): --speech says what both are to speak"] : []
        warnings =
            differing
            + zip(self.sides, sides).flatMap { side, figures in
                let isProcessGone = side.server == nil && (side.name == "A" ? options.pid : options.comparePid) != nil
                return side.warnings(figures, isProcessGone: isProcessGone && !figures.rounds.isEmpty)
                    .map { sides.count > 1 ? "\(side.name): \($0)" : $0 }
            }
    }
}

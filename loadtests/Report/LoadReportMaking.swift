extension LoadReport.Counts {
    init(_ tally: Tally) {
        sessions = tally.sessions
        failed = tally.failed
        requests = tally.requests
        not_modified = tally.notModified
        bytes = tally.bytes
        rounds = tally.rounds
        connections = tally.connections
        over_http1 = tally.spoken.text.map { _ in tally.spoken.http1 }
        over_http2 = tally.spoken.text.map { _ in tally.spoken.http2 }
        retries = tally.retries
    }
}

extension LoadReport.Counts {
    /// Nil if nobody tells.
    var spoken: String? { SpokenCount(http1: over_http1 ?? 0, http2: over_http2 ?? 0).text }
}

extension LoadReport.Row {
    init(kind: String, name: String, _ tally: Tally) {
        self.kind = kind
        self.name = name
        counts = .init(tally)
        latency = LatencyFigures(tally.latency)
        corrected = tally.corrected.flatMap { LatencyFigures($0) }
    }
}

extension LoadReport.Round {
    init(_ round: SideFigures.Round) {
        rate = round.rate
        sessions = round.all.sessions
        failed = round.all.failed
        latency = LatencyFigures(round.all.latency)
        server_cpu_us_per_request = round.serverCPUMicrosecondsPerRequest
    }
}

extension LoadReport.Server {
    /// Nil unless every round could read the process.
    init?(_ side: SideFigures) {
        let servers = side.costs.compactMap(\.server)
        guard let first = servers.first, let last = servers.last, servers.count == side.costs.count else { return nil }
        let cpu = servers.reduce(0) { $0 + $1.cpuSeconds }
        let seconds = side.costs.reduce(0) { $0 + $1.seconds }
        cpu_seconds = cpu
        cores_used = seconds > 0 ? cpu / seconds : 0
        cpu_us_per_request = side.all.requests > 0 ? cpu * 1e6 / Double(side.all.requests) : nil
        cpu_us_per_session = side.all.sessions > 0 ? cpu * 1e6 / Double(side.all.sessions) : nil
        resident_before = first.residentBefore
        resident_after = last.residentAfter
        resident_peak = servers.map(\.residentPeak).max() ?? 0
    }
}

extension LoadReport.Side {
    init(_ side: SideFigures, coresAllowed: Int) {
        name = side.name
        target = side.target
        measured_seconds = side.seconds
        rate = side.seconds > 0 ? Double(side.servedInTime) / side.seconds : 0
        // Of whole sessions: what a session that was waited for asked late is taken out in proportion.
        let ended = side.seconds > 0 ? Double(side.endedInTime) / side.seconds : 0
        requests_per_second =
            side.all.sessions > 0 ? ended * Double(side.all.requests) / Double(side.all.sessions) : 0
        all = .init(kind: "all", name: "", side.all)
        rows = side.rows.sorted { ($0.key.kind.rawValue, $0.key.name) < ($1.key.kind.rawValue, $1.key.name) }
            .map { .init(kind: $0.key.kind.rawValue, name: $0.key.name, $0.value) }
        steps = side.steps.sorted { ($0.key.kind.rawValue, $0.key.name) < ($1.key.kind.rawValue, $1.key.name) }
            .compactMap { step, histogram in
                LatencyFigures(histogram).map { .init(kind: step.kind.rawValue, name: step.name, latency: $0) }
            }
        curve = CurvePoint.curve(side.all.latency)
        corrected_curve = side.all.corrected.map { CurvePoint.curve($0) }
        timeline = side.timeline.map {
            .init(
                seconds: $0.point.seconds, round: $0.round, rate: $0.rate, p50: $0.point.p50, p99: $0.point.p99,
                failed: $0.point.failed)
        }
        errors = side.all.errors
        server = .init(side)
        bench = BenchHealth(side, coresAllowed: coresAllowed)
        rounds = side.rounds.map { .init($0) }
    }

    /// - Returns: nil if none failed.
    static func failing(_ failed: Int, of all: Int, _ what: String) -> String? {
        guard failed > 0 else { return nil }
        return "\(Shown.count(failed)) of \(Shown.count(all)) \(what) (\(Shown.share(Double(failed) / Double(all)))) "
            + "failed: latencies and rates are those of the others"
    }

    /// What makes its figures doubtful.
    ///
    /// - Parameter isProcessGone: the process of `--pid` could not be read in every round.
    func warnings(_ figures: SideFigures, isProcessGone: Bool) -> [String] {
        var found = bench.warnings(latency: all.latency, sessions: all.counts.sessions)
        let clamped = figures.all.latency.clamped
        if clamped > 0 {
            found.append("\(Shown.count(clamped)) sessions took longer than 10 minutes and count as that")
        }
        if figures.abandoned > 0 {
            found.append("when it was ended, \(Shown.count(figures.abandoned)) more had begun, which no figure has")
        }
        if isProcessGone { found.append("the server's process ended meanwhile: there is no CPU and memory to tell") }
        if let failed = Self.failing(all.counts.failed, of: all.counts.sessions, "sessions") { found.append(failed) }
        if all.counts.sessions == 0 { found.append("no session ended: nothing was measured") }
        return found
    }
}

extension LoadReport.Pace {
    init(_ options: LoadOptions) {
        let isOpen = options.rate != nil
        loop = isOpen ? "open" : "closed"
        users = isOpen ? nil : options.users ?? 1
        rate = options.rate
        arrivals = isOpen ? (options.arrivals ?? .poisson).rawValue : nil
        in_flight_max = isOpen ? options.inFlightMax : nil
        expected_interval = options.expectedInterval?.duration.milliseconds
    }

    /// `open loop, 200 sessions a second (poisson)`
    var text: String {
        if let rate { return "open loop, \(Shown.significant(rate)) sessions a second (\(arrivals ?? ""))" }
        let users = users ?? 1
        return "closed loop, \(Shown.count(users)) user" + (users == 1 ? "" : "s")
    }
}

/// Whether this program was itself the bottleneck while it measured one side. Times in milliseconds.
struct BenchHealth: Codable, Hashable, Sendable {
    /// Above this share of its processors the generator queues its own work.
    static let cpuShareMax = 0.85
    static let machineIdleMin = 0.05
    static let stolenShareMax = 0.02
    /// Timers that are this late at the 99th percentile are noted however slow the server is.
    static let latenessMax = 5.0
    static let latenessMin = 1.0

    let cores_used: Double
    let cores_allowed: Int
    /// Of all processors of this machine; nil where the system does not tell.
    let machine_idle: Double?
    /// Taken by other guests of the same host.
    let machine_stolen: Double?
    let loop_lateness: LatencyFigures?
    /// Open loop: how late the driver came to arrivals.
    let arrival_lateness: LatencyFigures?
    let in_flight_peak: Int
    let held_back: Int
    let never_began: Int

    init(_ side: SideFigures, coresAllowed: Int) {
        let seconds = side.costs.reduce(0) { $0 + $1.seconds }
        let own = side.costs.reduce(0) { $0 + $1.ownCPUSeconds }
        let machine = side.costs.compactMap(\.machine)
        let ticks = machine.reduce(0) { $0 + $1.all }
        var late = LatencyHistogram()
        for cost in side.costs { late.merge(cost.loopLateness) }
        cores_used = seconds > 0 ? own / seconds : 0
        cores_allowed = coresAllowed
        machine_idle = ticks > 0 ? machine.reduce(0) { $0 + $1.idle } / ticks : nil
        machine_stolen = ticks > 0 ? machine.reduce(0) { $0 + $1.stolen } / ticks : nil
        loop_lateness = LatencyFigures(late)
        arrival_lateness = LatencyFigures(side.arrivalLateness)
        in_flight_peak = side.inFlightPeak
        held_back = side.heldBack
        never_began = side.neverBegan
    }

    /// Sentences for people, with the numbers and what to do.
    ///
    /// - Parameters:
    ///   - latency: of the side; lateness is held against it.
    ///   - sessions: that began.
    func warnings(latency: LatencyFigures?, sessions: Int) -> [String] {
        var found: [String] = []
        if cores_used >= Self.cpuShareMax * Double(cores_allowed) {
            found.append(
                "the load generator used \(Shown.fixed(cores_used, 2)) of its \(cores_allowed) cores: it was itself a "
                    + "bottleneck, and rates are at most what it can do")
        } else if let idle = machine_idle, idle < Self.machineIdleMin {
            found.append(
                "the machine was idle for \(Shown.share(idle)) of the time and the load generator used "
                    + "\(Shown.fixed(cores_used, 2)) cores of it: server, generator and whatever else runs took time from "
                    + "each other; give each cores of its own (taskset)")
        }
        if let stolen = machine_stolen, stolen >= Self.stolenShareMax {
            found.append("other guests of this host took \(Shown.share(stolen)) of its processors' time")
        }
        found += lateness("its event loops and threads were", loop_lateness, latency)
        found += lateness("sessions began", arrival_lateness, latency)
        if held_back > 0 {
            found.append(
                "\(Shown.count(held_back)) of \(Shown.count(sessions)) arrivals waited because \(in_flight_peak) "
                    + "sessions were under way (--in-flight-max): the server or the generator can't keep this rate")
        }
        if never_began > 0 {
            found.append("\(Shown.count(never_began)) arrivals never began, because the waiting used up the time")
        }
        return found
    }

    /// Late by much, or by much of what was measured.
    private func lateness(_ what: String, _ late: LatencyFigures?, _ latency: LatencyFigures?) -> [String] {
        guard let late else { return [] }
        let share = (latency?.p99 ?? 0) / 4
        guard late.p99 >= Self.latenessMax || (late.p99 >= Self.latenessMin && late.p99 >= share) else { return [] }
        return [
            "\(what) \(Shown.time(late.p99)) late at the 99th percentile, \(Shown.time(late.max)) at most: that much of "
                + "the latencies is the load generator's"
        ]
    }
}

import NIOCore
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What a phase cost the server, this process and the machine.
struct PhaseCost: Sendable {
    var seconds = 0.0
    var ownCPUSeconds = 0.0
    var loopLateness = LatencyHistogram()
    /// Of all processors' time; nil where the system does not tell.
    var machine: MachineTicks?
    /// Nil without a process to read, or if it ended.
    var server: Server?

    struct Server: Sendable {
        var cpuSeconds: Double
        var residentBefore: Int
        var residentAfter: Int
        var residentPeak: Int
    }
}

/// Reads what processes have used, at the beginning, the end, and each second between.
final class CostMeter: Sendable {
    private struct Start {
        var at = NIODeadline.now()
        var own = CostMeter.ownCPUSeconds()
        var machine = ProcessTree.machine()
        var server: ProcessTree.Use?
        var residentPeak = 0
    }

    #if canImport(Glibc)
        private static let ownProcess = __rusage_who_t(RUSAGE_SELF.rawValue)
    #else
        private static let ownProcess = RUSAGE_SELF
    #endif

    private let pid: Int?
    private let loops: LoopWatch
    private let start: Mutex<Start>

    /// Begins to count.
    ///
    /// - Throws: `BenchFailure` if there is no such process.
    init(pid: Int?, loops: LoopWatch) throws(BenchFailure) {
        self.pid = pid
        self.loops = loops
        var first = Start()
        if let pid {
            first.server = ProcessTree.use(of: pid)
            guard let use = first.server else {
                throw BenchFailure("process \(pid) can't be read on this machine; check --pid and --compare-pid")
            }
            first.residentPeak = use.residentBytes
        }
        start = Mutex(first)
        _ = loops.take()
    }

    /// Looks at the server's memory.
    func sample() {
        guard let pid, let use = ProcessTree.use(of: pid) else { return }
        start.withLock { $0.residentPeak = max($0.residentPeak, use.residentBytes) }
    }

    func end() -> PhaseCost {
        sample()
        let (at, own, machine, use) = (
            NIODeadline.now(), Self.ownCPUSeconds(), ProcessTree.machine(), pid.flatMap { ProcessTree.use(of: $0) }
        )
        return start.withLock { start in
            var cost = PhaseCost(loopLateness: loops.take())
            cost.seconds = Double((at - start.at).nanoseconds) / 1e9
            cost.ownCPUSeconds = own - start.own
            if let before = start.machine, let machine {
                cost.machine = MachineTicks(
                    all: machine.all - before.all, idle: machine.idle - before.idle,
                    stolen: machine.stolen - before.stolen)
            }
            if let before = start.server, let use {
                cost.server = .init(
                    cpuSeconds: use.cpuSeconds - before.cpuSeconds, residentBefore: before.residentBytes,
                    residentAfter: use.residentBytes, residentPeak: start.residentPeak)
            }
            return cost
        }
    }

    /// User and system time of this process so far.
    static func ownCPUSeconds() -> Double {
        var use = rusage()
        guard getrusage(Self.ownProcess, &use) == 0 else { return 0 }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(use.ru_utime) + seconds(use.ru_stime)
    }
}

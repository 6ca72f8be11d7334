import FoundationEssentials

/// What a server's processes have used, exact to the nanosecond where the kernel counts it.
struct ServerUse: Hashable, Sendable {
    var cpuNanoseconds = 0
    /// Times that a thread gave up the processor to wait.
    var voluntarySwitches = 0
    /// Processors that the server may use at once: those it may run on, at most its threads.
    var coresAllowed = 0

    static func + (a: Self, b: Self) -> Self {
        Self(
            cpuNanoseconds: a.cpuNanoseconds + b.cpuNanoseconds,
            voluntarySwitches: a.voluntarySwitches + b.voluntarySwitches,
            coresAllowed: max(a.coresAllowed, b.coresAllowed))
    }

    static func - (a: Self, b: Self) -> Self {
        Self(
            cpuNanoseconds: a.cpuNanoseconds - b.cpuNanoseconds,
            voluntarySwitches: a.voluntarySwitches - b.voluntarySwitches, coresAllowed: a.coresAllowed)
    }

    /// Of all threads of these processes; those that have ended meanwhile are missing.
    ///
    /// Source: proc(5), task/tid/schedstat: nanoseconds on a processor come first.
    ///
    /// - Parameter withChildren: their descendants too, such as the workers of a server.
    /// - Throws: `BenchFailure` if a process can't be read.
    static func now(of pids: [Int], withChildren: Bool) throws(BenchFailure) -> Self {
        var (sum, open, threads, cores) = (Self(), pids, 0, 0)
        while let pid = open.popLast() {
            guard let tasks = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task") else {
                throw BenchFailure("process \(pid) can't be read on this machine; check --pid and --compare-pid")
            }
            for task in tasks {
                let folder = "/proc/\(pid)/task/\(task)"
                // A thread may end between the list and the look at it.
                guard let line = ProcessTree.text(folder + "/schedstat")?.split(separator: " "),
                    let time = line.first.flatMap({ Int($0) })
                else { continue }
                threads += 1
                sum.cpuNanoseconds += time
                let status = ProcessTree.text(folder + "/status") ?? ""
                sum.voluntarySwitches += number("voluntary_ctxt_switches:", in: status)
                cores = max(cores, allowed(in: status))
                guard withChildren, let children = ProcessTree.text(folder + "/children") else { continue }
                open += children.split(separator: " ").compactMap { Int($0) }
            }
        }
        sum.coresAllowed = min(threads, cores)
        return sum
    }

    private static func number(_ field: String, in status: String) -> Int {
        let line = status.split(separator: "\n").first { $0.hasPrefix(field) }
        return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) } ?? 0
    }

    /// `Cpus_allowed_list: 0-3,8`
    private static func allowed(in status: String) -> Int {
        let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") }
        let ranges = line?.split(whereSeparator: \.isWhitespace).last?.split(separator: ",") ?? []
        return ranges.reduce(0) { sum, range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            return sum + (ends.count == 2 ? ends[1] - ends[0] + 1 : 1)
        }
    }
}

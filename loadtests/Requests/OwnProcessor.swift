import FoundationEssentials

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The processor time of this process, and where it may run.
enum OwnProcessor {
    /// Of the calling thread so far, in seconds: on a processor, and ready while others were on it (0 where nobody tells).
    ///
    /// Source: proc(5), thread-self/schedstat: nanoseconds running, nanoseconds waiting, turns.
    static func threadUse() -> (running: Double, waiting: Double) {
        var time = timespec()
        guard clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0 else { return (0, 0) }
        let fields = ProcessTree.text("/proc/thread-self/schedstat")?.split(separator: " ") ?? []
        let waiting = fields.count > 1 ? Double(fields[1]) ?? 0 : 0
        return (Double(time.tv_sec) + Double(time.tv_nsec) / 1e9, waiting / 1e9)
    }

    /// Lets all threads of this process, and those that they start, run on one processor only.
    ///
    /// - Throws: `BenchFailure` if there is no such processor, or the system can't do it.
    static func pin(to core: Int) throws(BenchFailure) {
        #if os(Linux)
            // Looked up by name: Swift's Glibc module leaves out what glibc calls an extension.
            typealias SetAffinity = @convention(c) (pid_t, Int, UnsafePointer<UInt8>) -> Int32
            guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "sched_setaffinity") else {
                throw BenchFailure("--pin: this system can't do it")
            }
            let setAffinity = unsafeBitCast(symbol, to: SetAffinity.self)
            var mask = [UInt8](repeating: 0, count: 128)
            guard (0..<mask.count * 8).contains(core) else { throw BenchFailure("--pin \(core): no such processor") }
            mask[core / 8] = 1 << UInt8(core % 8)
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
            for thread in threads.compactMap({ pid_t($0) }) {
                guard setAffinity(thread, mask.count, mask) == 0 else {
                    throw BenchFailure(
                        "--pin \(core): \(String(cString: strerror(errno))); `nproc` says how many processors there are"
                    )
                }
            }
        #else
            throw BenchFailure("--pin works on Linux only")
        #endif
    }
}

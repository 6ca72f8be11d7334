import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// One line on standard error that says how it goes: each second on a terminal, else every ten seconds.
struct ProgressLine: Sendable {
    static let quietTicks = 10

    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// - Parameter tick: seconds since the phase began.
    /// - Returns: true if the moment was shown, and a new one begins.
    func show(_ label: String, tick: Int, of duration: Duration, peek: () -> Recorder.Moment) -> Bool {
        guard isTerminal || tick.isMultiple(of: Self.quietTicks) else { return false }
        let line = Self.line(
            label, tick: tick, of: duration, seconds: isTerminal ? 1 : Self.quietTicks, peek())
        if isTerminal { Console.write("\r\u{1B}[K" + line) } else { Console.note(line) }
        return true
    }

    /// Leaves the terminal's line for what comes.
    func end() { if isTerminal { Console.write("\r\u{1B}[K") } }

    /// `round 2 of 5, A: 12 of 30 s  1,234/s  p50 1.20 ms  p99 3.40 ms  failed 0`
    static func line(
        _ label: String, tick: Int, of duration: Duration, seconds: Int, _ moment: Recorder.Moment
    ) -> String {
        let latency = moment.latency
        let total = Int((duration / .seconds(1)).rounded())
        let rate = Double(latency.count + moment.failed) / Double(seconds)
        let percentiles =
            latency.isEmpty
            ? "p50 -  p99 -"
            : "p50 \(Shown.time(latency.milliseconds(at: 50)))  p99 \(Shown.time(latency.milliseconds(at: 99)))"
        let place = tick <= total ? "\(tick) of \(total) s" : "\(tick) s, waiting for sessions under way"
        return "\(label): \(place)  \(Shown.significant(rate))/s  \(percentiles)  failed \(Shown.count(moment.failed))"
    }
}

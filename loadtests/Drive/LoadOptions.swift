import ArgumentParser
import NIOCore

/// How hard, for how long and against what: the options that every verb with sessions shares.
struct LoadOptions: ParsableArguments {
    enum ArrivalKind: String, CaseIterable, ExpressibleByArgument {
        case poisson, uniform
    }

    @Option(
        help: ArgumentHelp(
            "Closed loop: so many users, each begins anew when it is done, 1 to 10000. (default: 1)", valueName: "n"))
    var users: Int?
    @Option(
        help: ArgumentHelp(
            "Open loop: so many sessions begin each second, whatever becomes of those before.", valueName: "per second")
    )
    var rate: Double?
    @Option(help: "Open loop: how arrivals are spread. (default: poisson)") var arrivals: ArrivalKind?
    @Option(help: ArgumentHelp("Open loop: sessions at once, at most; the report says if it bound.", valueName: "n"))
    var inFlightMax = 2_000
    @Option(help: ArgumentHelp("Measured time, of each round: 500ms, 10s, 2m, 1h.", valueName: "time")) var duration =
        Span(.seconds(10))
    @Option(help: ArgumentHelp("Time before it that is not counted, in each round.", valueName: "time"))
    var warmup = Span(.seconds(2))
    @Option(help: ArgumentHelp("Ends each round after so many counted sessions.", valueName: "n")) var sessions: Int?
    @Option(help: ArgumentHelp("The same seed draws the same sessions and arrivals.", valueName: "n"))
    var seed: UInt64 = 1
    @Option(
        help: ArgumentHelp(
            "Closed loop: how often a user would begin if no answer were slow; adds columns corrected for coordinated "
                + "omission.", valueName: "time")) var expectedInterval: Span?

    @Option(help: ArgumentHelp("A second server: both are measured in turn, A B A B.", valueName: "url"))
    var compare: String?
    @Option(
        help: ArgumentHelp(
            "Rounds, 1 to 100; each measures every side once. (default: 5 with --compare, else 1)", valueName: "n"))
    var rounds: Int?
    @Option(
        help: ArgumentHelp(
            "The server's process on this machine: its CPU and memory, children included.", valueName: "pid"))
    var pid: Int?
    @Option(help: ArgumentHelp("The process of --compare.", valueName: "pid")) var comparePid: Int?

    @Flag(help: "Prints JSON instead of tables.") var json = false
    @Option(help: ArgumentHelp("Writes a page with curves for a browser.", valueName: "file")) var html: String?

    var roundCount: Int { rounds ?? (compare == nil ? 1 : 5) }

    /// At most.
    var sessionsAtOnce: Int { rate == nil ? users ?? 1 : inFlightMax }

    var plan: DrivePlan {
        let pace: DrivePlan.Pace =
            rate.map { .rate(perSecond: $0, isPoisson: arrivals != .uniform) } ?? .users(users ?? 1)
        return DrivePlan(
            pace: pace, warmUp: warmup.duration, duration: duration.duration, sessionsMax: sessions, seed: seed)
    }

    func validate() throws {
        if users != nil, rate != nil {
            throw ValidationError("--users is a closed loop and --rate an open one: give one of them")
        }
        guard arrivals == nil || rate != nil else {
            throw ValidationError("--arrivals is for --rate: the users of a closed loop begin when they are done")
        }
        guard (1...10_000).contains(users ?? 1) else { throw ValidationError("--users takes 1 to 10000") }
        guard (0.001...1_000_000).contains(rate ?? 1) else {
            throw ValidationError("--rate takes 0.001 to 1000000 sessions a second")
        }
        guard (1...100_000).contains(inFlightMax) else { throw ValidationError("--in-flight-max takes 1 to 100000") }
        guard (.milliseconds(100) ... .seconds(86_400)).contains(duration.duration) else {
            throw ValidationError("--duration takes 100ms to 24h")
        }
        guard warmup.duration <= .seconds(3_600) else { throw ValidationError("--warmup takes 1h at most") }
        guard (1...100_000_000).contains(sessions ?? 1) else { throw ValidationError("--sessions takes 1 or more") }
        guard (1...100).contains(rounds ?? 1) else { throw ValidationError("--rounds takes 1 to 100") }
        if compare == nil, comparePid != nil { throw ValidationError("--compare-pid needs --compare") }
        if let expectedInterval {
            guard rate == nil else {
                throw ValidationError("--expected-interval is for --users: with --rate latency counts from the arrival")
            }
            guard expectedInterval.duration >= .milliseconds(1) else {
                throw ValidationError("--expected-interval takes 1ms or more")
            }
        }
    }
}

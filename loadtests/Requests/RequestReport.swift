/// What `requests` found, as it is printed.
struct RequestReport: Codable, Sendable {
    struct Side: Codable, Sendable {
        let name: String
        let target: String
        let rounds: [Figures]
        let total: Figures
    }

    /// Of one round, or of all.
    struct Figures: Codable, Sendable {
        let seconds: Double
        let latency_ms: LatencyFigures?
        let requests_per_second: Double
        let body_bytes_per_second: Double
        /// How often which status came, by status.
        let statuses: [String: Int]
        let failures: [String: Int]
        let connections_opened: Int
        let waiting_most: Int
        let client_cpu_us_per_request: Double
        /// Of one core.
        let client_cpu_share: Double
        let server_cpu_us_per_request: Double?
        let server_cpu_share: Double?
        let server_voluntary_switches_per_request: Double?
        let server_cores: Int?

        init(_ tally: RequestTally) {
            let answers = Double(tally.answers)
            let each = max(1, answers)
            let time = max(tally.seconds, 1e-9)
            seconds = tally.seconds
            latency_ms = LatencyFigures(tally.latency)
            requests_per_second = answers / time
            body_bytes_per_second = Double(tally.bytes) / time
            var counted: [String: Int] = [:]
            for (status, count) in tally.statuses.enumerated() where count > 0 { counted["\(status)"] = count }
            statuses = counted
            failures = tally.failures
            connections_opened = tally.connectionsOpened
            waiting_most = tally.waitingMost
            client_cpu_us_per_request = tally.ownCPUSeconds * 1e6 / each
            client_cpu_share = tally.ownCPUSeconds / time
            server_cpu_us_per_request = tally.server.map { Double($0.cpuNanoseconds) / 1e3 / each }
            server_cpu_share = tally.server.map { Double($0.cpuNanoseconds) / 1e9 / time }
            server_voluntary_switches_per_request = tally.server.map { Double($0.voluntarySwitches) / each }
            server_cores = tally.server?.coresAllowed
        }

        /// The client had no time left while the server had: the rate is the client's, not the server's.
        var isBoundByClient: Bool {
            guard client_cpu_share >= 0.9 else { return false }
            guard let share = server_cpu_share, let cores = server_cores else { return true }
            return share < 0.95 * Double(cores)
        }
    }

    let settings: [String: String]
    let machine: Machine
    let expected_status: Int
    let sides: [Side]
    let comparison: [ComparedFigure]
    let warnings: [String]

    init(settings: [String: String], expectedStatus: Int, sides tallies: [(target: String, rounds: [RequestTally])]) {
        self.settings = settings
        machine = Machine.here()
        expected_status = expectedStatus
        sides = zip(["A", "B"], tallies).map { name, side in
            var all = RequestTally()
            for round in side.rounds { all.merge(round) }
            return Side(name: name, target: side.target, rounds: side.rounds.map(Figures.init), total: Figures(all))
        }
        comparison = sides.count == 2 ? Self.compare(sides[0].rounds, sides[1].rounds) : []
        warnings = sides.filter(\.total.isBoundByClient).map { side in
            "\(side.name): this client was the bottleneck: it used \(Shown.share(side.total.client_cpu_share)) of its core"
                + (side.total.server_cpu_share.map { ", the server \(Shown.share($0)) of one" } ?? "")
                + "; requests a second are its own, not the server's"
        }
    }

    private static func compare(_ a: [Figures], _ b: [Figures]) -> [ComparedFigure] {
        func figure(_ name: String, isLowerBetter: Bool = true, _ value: (Figures) -> Double?) -> ComparedFigure? {
            ComparedFigure(name, isLowerBetter: isLowerBetter, rounds: zip(a, b).map { (value($0), value($1)) })
        }
        return [
            figure("server CPU a request (µs)") { $0.server_cpu_us_per_request },
            figure("requests a second", isLowerBetter: false) { $0.requests_per_second },
            figure("latency p50 (ms)") { $0.latency_ms?.p50 }, figure("latency p99 (ms)") { $0.latency_ms?.p99 },
            figure("latency p99.9 (ms)") { $0.latency_ms?.p99_9 },
        ].compactMap { $0 }
    }

    /// Answers with another status than the expected one, and failures.
    var errors: Int {
        sides.reduce(0) { sum, side in
            let statuses = side.total.statuses.filter { $0.key != "\(expected_status)" }
            return sum + statuses.values.reduce(0, +) + side.total.failures.values.reduce(0, +)
        }
    }

    // MARK: Text

    var text: String {
        let rows = sides.flatMap { side in
            side.rounds.enumerated().map { ["\(side.name) \($0.offset + 1)"] + Self.cells($0.element) }
                + (side.rounds.count > 1 ? [["\(side.name) all"] + Self.cells(side.total)] : [])
        }
        let header =
            ["ROUND", "REQ/S", "BODY/S"] + LatencyFigures.header
            + ["SERVER CPU/REQ", "SERVER CPU", "SWITCHES/REQ", "CLIENT CPU/REQ", "CLIENT CPU"]
        var parts = [sides.map { "\($0.name) = \($0.target)" }.joined(separator: "\n"), Console.table(header, rows)]
        if !comparison.isEmpty {
            parts.append(
                Console.table(
                    ["FIGURE", "A", "B", "B ÷ A: LEAST", "MEDIAN", "MOST", "BETTER"],
                    comparison.map { figure in
                        [figure.figure] + [figure.a, figure.b].map(Shown.significant)
                            + [figure.least, figure.median, figure.most].map { Shown.fixed($0, 3) }
                            + [figure.better.rawValue]
                    }))
        }
        parts += sides.flatMap { side in Self.troubles(side, expected: expected_status) } + warnings
        return parts.joined(separator: "\n\n")
    }

    private static func cells(_ figures: Figures) -> [String] {
        [Shown.fixed(figures.requests_per_second, 0), Shown.bytes(figures.body_bytes_per_second)]
            + (figures.latency_ms?.cells ?? LatencyFigures.noCells)
            + [
                figures.server_cpu_us_per_request.map { Shown.significant($0) + " µs" } ?? "-",
                figures.server_cpu_share.map(Shown.share) ?? "-",
                figures.server_voluntary_switches_per_request.map { Shown.fixed($0, 3) } ?? "-",
                Shown.significant(figures.client_cpu_us_per_request) + " µs", Shown.share(figures.client_cpu_share),
            ]
    }

    private static func troubles(_ side: Side, expected: Int) -> [String] {
        let wrong = side.total.statuses.filter { $0.key != "\(expected)" }.map { ("status \($0.key)", $0.value) }
        let all = (wrong + side.total.failures.map { ($0.key, $0.value) }).sorted { $0.1 > $1.1 }
        return all.map { "\(side.name): \(Shown.count($0.1)) × \($0.0)" }
    }
}

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
        /// Answers with the expected status.
        let requests_per_second: Double
        /// Answers with another status, and what was not answered.
        let failed: Int
        let body_bytes_per_second: Double
        /// How often which status came, by status.
        let statuses: [String: Int]
        let failures: [String: Int]
        let connections_opened: Int
        /// Answers.
        let over_http1: Int
        let over_http2: Int
        let waiting_most: Int
        let client_cpu_us_per_request: Double
        /// Of one core.
        let client_cpu_share: Double
        /// Of the time, in which the client was ready and others had its core.
        let client_wait_share: Double
        let server_cpu_us_per_request: Double?
        let server_cpu_share: Double?
        let server_voluntary_switches_per_request: Double?
        let server_cores: Int?

        init(_ tally: RequestTally, expected: Int) {
            let answers = Double(tally.answers)
            let each = max(1, answers)
            let time = max(tally.seconds, 1e-9)
            seconds = tally.seconds
            latency_ms = LatencyFigures(tally.latency)
            let served = tally.answered(expected)
            requests_per_second = Double(served) / time
            failed = tally.answers - served + tally.failures.values.reduce(0, +)
            body_bytes_per_second = Double(tally.bytes) / time
            var counted: [String: Int] = [:]
            for (status, count) in tally.statuses.enumerated() where count > 0 { counted["\(status)"] = count }
            statuses = counted
            failures = tally.failures
            connections_opened = tally.connectionsOpened
            over_http1 = tally.spoken.http1
            over_http2 = tally.spoken.http2
            waiting_most = tally.waitingMost
            client_cpu_us_per_request = tally.ownCPUSeconds * 1e6 / each
            client_cpu_share = tally.ownCPUSeconds / time
            client_wait_share = tally.ownWaitSeconds / time
            server_cpu_us_per_request = tally.server.map { Double($0.cpuNanoseconds) / 1e3 / each }
            server_cpu_share = tally.server.map { Double($0.cpuNanoseconds) / 1e9 / time }
            server_voluntary_switches_per_request = tally.server.map { Double($0.voluntarySwitches) / each }
            server_cores = tally.server?.coresAllowed
        }

        /// Of all that was asked, 0 to 1.
        var failingShare: Double {
            let all = statuses.values.reduce(0, +) + failures.values.reduce(0, +)
            return all > 0 ? Double(failed) / Double(all) : 0
        }

        /// The client had no time left while the server had: the rate is the client's, not the server's.
        var isBoundByClient: Bool {
            guard client_cpu_share + client_wait_share >= 0.9 else { return false }
            guard let share = server_cpu_share, let cores = server_cores else { return true }
            return share < 0.95 * Double(cores)
        }
    }

    /// As in `LoadReport`; `verb` tells the two apart.
    let format: Int
    let verb: String
    /// Ctrl-C came before the end.
    let interrupted: Bool
    let settings: [String: String]
    let machine: Machine
    let expected_status: Int
    let sides: [Side]
    let comparison: [ComparedFigure]
    let warnings: [String]

    init(
        settings: [String: String], expectedStatus: Int, sides tallies: [(target: String, rounds: [RequestTally])],
        interrupted: Bool = false
    ) {
        format = LoadReport.currentFormat
        verb = "requests"
        self.interrupted = interrupted
        self.settings = settings
        machine = Machine.here()
        expected_status = expectedStatus
        sides = zip(["A", "B"], tallies).map { name, side in
            var all = RequestTally()
            for round in side.rounds { all.merge(round) }
            return Side(
                name: name, target: side.target, rounds: side.rounds.map { Figures($0, expected: expectedStatus) },
                total: Figures(all, expected: expectedStatus))
        }
        comparison = sides.count == 2 ? Self.compare(sides[0], sides[1]) : []
        warnings = sides.flatMap { side in side.warnings.map { "\(side.name): \($0)" } }
    }

    private static func compare(_ sideA: Side, _ sideB: Side) -> [ComparedFigure] {
        let (a, b) = (sideA.rounds, sideB.rounds)
        let failing = (sideA.total.failingShare, sideB.total.failingShare)
        func figure(_ name: String, isLowerBetter: Bool = true, _ value: (Figures) -> Double?) -> ComparedFigure? {
            ComparedFigure(
                name, isLowerBetter: isLowerBetter, rounds: zip(a, b).map { (value($0), value($1)) }, failing: failing)
        }
        return [
            figure("server CPU a request (µs)") { $0.server_cpu_us_per_request },
            figure("requests a second", isLowerBetter: false) { $0.requests_per_second },
            figure("latency p50 (ms)") { $0.latency_ms?.p50 }, figure("latency p99 (ms)") { $0.latency_ms?.p99 },
            figure("latency p99.9 (ms)") { $0.latency_ms?.p99_9 },
        ].compactMap { $0 }
    }

    /// Answers with another status than the expected one, and failures.
    var errors: Int { sides.reduce(0) { $0 + $1.total.failed } }

    // MARK: Text

    var text: String {
        let rows = sides.flatMap { side in
            side.rounds.enumerated().map { ["\(side.name) \($0.offset + 1)"] + Self.cells($0.element) }
                + (side.rounds.count > 1 ? [["\(side.name) all"] + Self.cells(side.total)] : [])
        }
        let header =
            ["ROUND", "REQ/S", "BODY/S"] + LatencyFigures.header
            + ["SERVER CPU/REQ", "SERVER CPU", "SWITCHES/REQ", "CLIENT CPU/REQ", "CLIENT CPU"]
        let interruption = interrupted ? ["interrupted: this is what was measured until then"] : []
        let head = (sides.map { "\($0.name) = \($0.target)\($0.spoken)" } + interruption).joined(separator: "\n")
        var parts = [head, Console.table(header, rows)]
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

extension RequestReport.Side {
    /// `, answered over HTTP/2`; empty without an answer.
    fileprivate var spoken: String {
        SpokenCount(http1: total.over_http1, http2: total.over_http2).text.map { ", answered over \($0)" } ?? ""
    }

    /// What makes its figures doubtful.
    fileprivate var warnings: [String] {
        var found: [String] = []
        if total.isBoundByClient {
            found.append(
                "this client was the bottleneck: it used \(Shown.share(total.client_cpu_share)) of its core"
                    + " and waited \(Shown.share(total.client_wait_share)) of the time for it"
                    + (total.server_cpu_share.map { ", the server \(Shown.share($0)) of one" } ?? "")
                    + "; requests a second are its own, not the server's")
        }
        let asked = total.statuses.values.reduce(0, +) + total.failures.values.reduce(0, +)
        if let failed = LoadReport.Side.failing(total.failed, of: asked, "requests") { found.append(failed) }
        return found
    }
}

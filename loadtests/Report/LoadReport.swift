/// What a run found, as `--json` prints it; its names are a contract (loadtests/README.md). Times in milliseconds unless
/// a name says otherwise.
struct LoadReport: Codable, Hashable, Sendable {
    /// Grows when a name changes its meaning or goes away; new names may come without.
    ///
    /// 2: rates, and the latencies of steps, are those of sessions that got what they came for; in 1 failed ones counted.
    static let currentFormat = 2

    struct Setting: Codable, Hashable, Sendable {
        let name: String
        let value: String
    }

    struct Pace: Codable, Hashable, Sendable {
        /// `closed` or `open`
        let loop: String
        let users: Int?
        let rate: Double?
        /// `poisson` or `uniform`
        let arrivals: String?
        let in_flight_max: Int?
        let expected_interval: Double?
    }

    struct Counts: Codable, Hashable, Sendable {
        let sessions: Int
        let failed: Int
        let requests: Int
        let not_modified: Int
        let bytes: Int
        let rounds: Int
        let connections: Int
        /// Answers; none of either where the verb does not tell.
        let over_http1: Int?
        let over_http2: Int?
        let retries: Int
    }

    struct Row: Codable, Hashable, Sendable {
        let kind: String
        /// Empty: all sessions of the kind.
        let name: String
        let counts: Counts
        /// Of sessions that did not fail; nil without one.
        let latency: LatencyFigures?
        let corrected: LatencyFigures?
    }

    struct Step: Codable, Hashable, Sendable {
        let kind: String
        let name: String
        let latency: LatencyFigures
    }

    struct Moment: Codable, Hashable, Sendable {
        /// Since the first phase began, warm-ups included.
        let seconds: Int
        let round: Int
        let rate: Double
        let p50: Double
        let p99: Double
        let failed: Int
    }

    struct Server: Codable, Hashable, Sendable {
        let cpu_seconds: Double
        /// Of all processors: 1.5 is one and a half of them.
        let cores_used: Double
        let cpu_us_per_request: Double?
        let cpu_us_per_session: Double?
        let resident_before: Int
        let resident_after: Int
        let resident_peak: Int
    }

    struct Round: Codable, Hashable, Sendable {
        let rate: Double
        let sessions: Int
        let failed: Int
        let latency: LatencyFigures?
        let server_cpu_us_per_request: Double?
    }

    struct Side: Codable, Hashable, Sendable {
        /// `A` or `B`
        let name: String
        let target: String
        /// Of all rounds; sessions that were waited for afterwards don't lengthen it.
        let measured_seconds: Double
        /// Sessions a second that got what they came for.
        let rate: Double
        /// Of failed sessions too.
        let requests_per_second: Double
        let all: Row
        let rows: [Row]
        let steps: [Step]
        let curve: [CurvePoint]
        let corrected_curve: [CurvePoint]?
        let timeline: [Moment]
        let errors: [String: Int]
        let server: Server?
        let bench: BenchHealth
        let rounds: [Round]
    }

    let format: Int
    let verb: String
    /// Of this program.
    let version: String
    /// Of the checkout, if the environment says so (`BENCH_COMMIT`).
    let commit: String?
    let began: String
    let machine: Machine
    let settings: [Setting]
    let pace: Pace
    /// `intended arrival` or `beginning`
    let latency_from: String
    let warmup_seconds: Double
    let duration_seconds: Double
    let sessions_max: Int?
    let seed: UInt64
    let rounds: Int
    /// Ctrl-C came before the end.
    let interrupted: Bool
    let sides: [Side]
    /// Nil unless two sides were measured.
    let comparison: [ComparedFigure]?
    /// What makes the figures doubtful, in sentences.
    let warnings: [String]

    /// Failed sessions.
    var failed: Int { sides.reduce(0) { $0 + $1.all.counts.failed } }
}

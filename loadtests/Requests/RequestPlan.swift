import NIOCore

/// What `requests` does to a server.
struct RequestPlan: Sendable {
    enum Pace: Hashable, Sendable {
        /// Closed loop: so many requests are always on their way, `connections` × `streams`.
        case full
        /// Open loop: requests are due at this rate, Poisson; latency counts from when they were due.
        case rate(Double)
    }

    var connections: Int
    /// On each connection; 1 with HTTP/1.1.
    var streams: Int
    var pace: Pace
    var warmUp: TimeAmount
    var duration: TimeAmount
    var seed: UInt64
    /// Any other status is an error.
    var expectedStatus: Int
}

/// What came of the requests of one measured time.
struct RequestTally: Sendable {
    /// From sending, or from when the request was due, to the last byte; of expected answers.
    var latency = LatencyHistogram()
    /// By status, 100 to 599.
    var statuses = [Int](repeating: 0, count: 600)
    var failures: [String: Int] = [:]
    /// Of bodies, as they came over the wire.
    var bytes = 0
    var seconds = 0.0
    /// CPU of the client's one loop.
    var ownCPUSeconds = 0.0
    /// How long that loop was ready, and others had the processor.
    var ownWaitSeconds = 0.0
    var connectionsOpened = 0
    var spoken = SpokenCount()
    /// Open loop: most requests that were due and had to wait for a free stream.
    var waitingMost = 0
    /// Of the server, if its process was given.
    var server: ServerUse?
    /// Each second of the measured time, the last one cut short; not merged, as each round has its own.
    var points: [PhaseFigures.Point] = []

    func answered(_ status: Int) -> Int { statuses[status] }
    var answers: Int { statuses.reduce(0, +) }

    mutating func merge(_ other: Self) {
        latency.merge(other.latency)
        for (status, count) in other.statuses.enumerated() { statuses[status] += count }
        failures.merge(other.failures, uniquingKeysWith: +)
        bytes += other.bytes
        seconds += other.seconds
        ownCPUSeconds += other.ownCPUSeconds
        ownWaitSeconds += other.ownWaitSeconds
        connectionsOpened += other.connectionsOpened
        spoken = spoken + other.spoken
        waitingMost = max(waitingMost, other.waitingMost)
        server = server.map { mine in other.server.map { mine + $0 } ?? mine } ?? other.server
    }
}

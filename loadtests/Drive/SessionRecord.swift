import NIOCore

/// What one user did, from its first request to its last answer.
struct SessionRecord: Sendable {
    /// What a session is: the rows of a report.
    enum Kind: String, CaseIterable, Sendable, Encodable {
        case resolution, fetch, publish, request
    }

    var kind: Kind
    /// The application or crate, for a row of its own; empty for none.
    var name = ""
    /// When it should have begun: in an open loop the arrival, else `began`. Latency counts from here, so that a slow server can't
    /// hide behind requests that were never sent (coordinated omission).
    var intended: NIODeadline
    var began: NIODeadline
    var ended: NIODeadline
    var requests = 0
    var notModified = 0
    /// Of bodies, as they came over the wire.
    var bytes = 0
    var spoken = SpokenCount()
    var rounds = 0
    var connections = 0
    var retries = 0
    /// How often what went wrong, by `WireFailure.kind` or `status 503`; a retry that succeeded counts too.
    var errors: [String: Int] = [:]
    /// True if the user did not get what it came for.
    var hasFailed = false
    /// Single answers or steps of the session that deserve a row of their own: `first byte`, `visible at eu`.
    var steps: [(name: String, took: Duration)] = []
}

/// What users do to one server. One maker serves all users of a side.
protocol SessionMaker: Sendable {
    /// Runs one session to its end.
    ///
    /// - Parameters:
    ///   - user: 0 ..< users in a closed loop, the session's number in an open one.
    ///   - random: seeded by the plan's seed and the session's number, so that both sides of a comparison draw alike.
    func session(user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom) async -> SessionRecord
}

import NIOCore

/// What the sessions of one row of a report add up to.
struct Tally: Sendable {
    /// More kinds of errors than this count together: a text that differs each time must not fill memory.
    static let errorKindsMax = 100
    static let otherErrors = "others"

    /// Of sessions that got what they came for; a failure that comes fast must not look like speed.
    var latency = LatencyHistogram()
    /// The same with what was not sent meanwhile; nil without an expected interval.
    var corrected: LatencyHistogram?
    var sessions = 0
    var failed = 0
    var requests = 0
    var notModified = 0
    var bytes = 0
    var rounds = 0
    var connections = 0
    var spoken = SpokenCount()
    var retries = 0
    var errors: [String: Int] = [:]

    mutating func add(_ record: SessionRecord, expectedInterval: TimeAmount?) {
        sessions += 1
        failed += record.hasFailed ? 1 : 0
        requests += record.requests
        notModified += record.notModified
        bytes += record.bytes
        rounds += record.rounds
        connections += record.connections
        spoken = spoken + record.spoken
        retries += record.retries
        for (kind, count) in record.errors { countError(kind, count) }
        guard !record.hasFailed else { return }
        let took = record.ended - record.intended
        latency.record(took)
        if let expectedInterval {
            var histogram = corrected ?? LatencyHistogram()
            corrected = nil
            histogram.record(took, every: expectedInterval)
            corrected = histogram
        }
    }

    mutating func merge(_ other: Self) {
        latency.merge(other.latency)
        if let theirs = other.corrected {
            var histogram = corrected ?? LatencyHistogram()
            histogram.merge(theirs)
            corrected = histogram
        }
        sessions += other.sessions
        failed += other.failed
        requests += other.requests
        notModified += other.notModified
        bytes += other.bytes
        rounds += other.rounds
        connections += other.connections
        spoken = spoken + other.spoken
        retries += other.retries
        for (kind, count) in other.errors { countError(kind, count) }
    }

    private mutating func countError(_ kind: String, _ count: Int) {
        let isKnown = errors[kind] != nil || errors.count < Self.errorKindsMax
        errors[isKnown ? kind : Self.otherErrors, default: 0] += count
    }
}

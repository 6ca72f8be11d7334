import Registry

/// How far each connected edge was sent the feed, and how far it has applied it. Pure.
struct StreamBook: Sendable {
    private struct Line: Sendable {
        let edge: EdgeHolder
        /// The last position that was handed to the connection.
        var sent: UInt64
        /// The last position that the edge has acknowledged.
        var applied: UInt64
        var writingSince: ContinuousClock.Instant?
    }

    private var lines: [UInt64: Line] = [:]
    private var lastNumber: UInt64 = 0

    mutating func reserveNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func open(_ number: UInt64, _ edge: EdgeHolder, at position: UInt64) {
        lines[number] = Line(edge: edge, sent: position, applied: position)
    }

    mutating func close(_ number: UInt64) { lines[number] = nil }

    /// - Returns: true if this is news; positions that were not sent and other edges' streams change nothing.
    mutating func acknowledge(_ number: UInt64, edgeID: Int64, position: UInt64) -> Bool {
        guard let line = lines[number], line.edge.edgeID == edgeID, position > line.applied, position <= line.sent
        else { return false }
        lines[number]?.applied = position
        return true
    }

    /// Nothing before `position` counts any more.
    mutating func restart(_ number: UInt64, at position: UInt64) {
        lines[number]?.sent = position
        lines[number]?.applied = position
    }

    mutating func startsWriting(_ number: UInt64, upTo position: UInt64, at now: ContinuousClock.Instant) {
        lines[number]?.sent = position
        lines[number]?.writingSince = now
    }

    mutating func endsWriting(_ number: UInt64) { lines[number]?.writingSince = nil }

    /// Streams whose edge does not read: too long in one write, or passed by memory meanwhile.
    func stuck(floor: UInt64, at now: ContinuousClock.Instant, writeTimeMax: Duration) -> [UInt64] {
        lines.compactMap { number, line in
            guard let since = line.writingSince else { return nil }
            return now - since > writeTimeMax || line.sent < floor ? number : nil
        }
    }

    /// How many edges are connected here, and the lowest position that all of them have applied.
    var summary: (edges: Int, applied: UInt64?) { (lines.count, lines.values.map(\.applied).min()) }

    func names(behind position: UInt64) -> [String] {
        lines.values.filter { $0.applied < position }.map(\.edge.name).sorted()
    }

    func name(_ number: UInt64) -> String? { lines[number]?.edge.name }

    /// Each open stream, and how far its edge has applied the feed.
    var standings: [(number: UInt64, edgeID: Int64, applied: UInt64)] {
        lines.map { ($0.key, $0.value.edge.edgeID, $0.value.applied) }
    }

    var edgeIDs: [Int64] { lines.values.map(\.edge.edgeID) }
}

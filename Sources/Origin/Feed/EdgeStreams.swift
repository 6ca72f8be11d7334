import NIOCore
import Registry
import Synchronization

/// The feed streams that edges hold open to this replica, and how far each edge has applied.
package final class EdgeStreams: Sendable {
    /// A write that takes longer means that the edge reads nothing any more.
    static let writeTimeMax: Duration = .seconds(10)

    private struct Stream {
        let edge: EdgeHolder
        let channel: any Channel
        /// The last position that was handed to the connection.
        var sent: UInt64
        /// The last position that the edge has acknowledged.
        var applied: UInt64
        var writingSince: ContinuousClock.Instant?
    }

    private struct State {
        var streams: [UInt64: Stream] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())
    /// Rings when an edge came, went or acknowledged.
    let bell = Doorbell()

    package init() {}

    /// A number for a new stream; `open` puts it into use.
    func reserveNumber() -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    /// - Parameter position: where the edge stands: it has applied everything up to here.
    func open(_ number: UInt64, _ edge: EdgeHolder, at position: UInt64, channel: any Channel) {
        state.withLock {
            $0.streams[number] = Stream(edge: edge, channel: channel, sent: position, applied: position)
        }
        bell.ring()
    }

    func close(_ number: UInt64) {
        state.withLock { _ = $0.streams.removeValue(forKey: number) }
        bell.ring()
    }

    /// The edge has applied everything up to `position`. Positions that were not sent, or an other edge's stream,
    /// change nothing: an edge can speak for itself only.
    func acknowledge(_ number: UInt64, edgeID: Int64, position: UInt64) {
        let isNews = state.withLock { state in
            guard var stream = state.streams[number], stream.edge.edgeID == edgeID, position > stream.applied,
                position <= stream.sent
            else { return false }
            stream.applied = position
            state.streams[number] = stream
            return true
        }
        if isNews { bell.ring() }
    }

    /// The stream starts anew: nothing before `position` counts any more.
    func restart(_ number: UInt64, at position: UInt64) {
        state.withLock { state in
            state.streams[number]?.sent = position
            state.streams[number]?.applied = position
        }
    }

    func startsWriting(_ number: UInt64, upTo position: UInt64) {
        let now = ContinuousClock.now
        state.withLock { state in
            // Before the write: the acknowledgement can be faster than the return of the call that wrote.
            state.streams[number]?.sent = position
            state.streams[number]?.writingSince = now
        }
    }

    func endsWriting(_ number: UInt64) { state.withLock { $0.streams[number]?.writingSince = nil } }

    /// Closes the connections of edges that do not read: too long in one write, or passed by the ring meanwhile.
    ///
    /// - Returns: their names.
    func cutStuck(floor: UInt64, now: ContinuousClock.Instant) -> [String] {
        let stuck = state.withLock { state in
            state.streams.values.filter { stream in
                guard let since = stream.writingSince else { return false }
                return now - since > Self.writeTimeMax || stream.sent < floor
            }
        }
        for stream in stuck { stream.channel.close(promise: nil) }
        return stuck.map(\.edge.name)
    }

    /// How many edges are connected here, and the lowest position that all of them have applied.
    package var summary: (edges: Int, applied: UInt64?) {
        state.withLock { ($0.streams.count, $0.streams.values.map(\.applied).min()) }
    }

    func names(behind position: UInt64) -> [String] {
        state.withLock { $0.streams.values.filter { $0.applied < position }.map(\.edge.name).sorted() }
    }

    var edgeIDs: [Int64] { state.withLock { $0.streams.values.map(\.edge.edgeID) } }
}

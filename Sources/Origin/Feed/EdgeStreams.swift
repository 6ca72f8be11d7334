import FoundationEssentials
import NIOCore
import Registry
import Synchronization

/// The feed streams that edges hold open to this replica, and how far each edge has applied.
package final class EdgeStreams: Sendable {
    /// A write that takes longer means that the edge reads nothing any more.
    static let writeTimeMax: Duration = .seconds(10)

    private struct State {
        var book = StreamBook()
        var open: [UInt64: (channel: any Channel, since: Date)] = [:]
    }

    private let state = Mutex(State())
    /// Rings when an edge came, went or acknowledged.
    let bell = Doorbell()

    package init() {}

    /// A number for a new stream; `open` puts it into use.
    func reserveNumber() -> UInt64 { state.withLock { $0.book.reserveNumber() } }

    /// - Parameter position: where the edge stands: it has applied everything up to here.
    func open(_ number: UInt64, _ edge: EdgeHolder, at position: UInt64, channel: any Channel) {
        state.withLock {
            $0.book.open(number, edge, at: position)
            $0.open[number] = (channel, .now)
        }
        bell.ring()
    }

    func close(_ number: UInt64) {
        state.withLock {
            $0.book.close(number)
            $0.open[number] = nil
        }
        bell.ring()
    }

    /// The edge has applied everything up to `position`. Positions that were not sent, or an other edge's stream,
    /// change nothing: an edge can speak for itself only.
    func acknowledge(_ number: UInt64, edgeID: Int64, position: UInt64) {
        let isNews = state.withLock { $0.book.acknowledge(number, edgeID: edgeID, position: position) }
        if isNews { bell.ring() }
    }

    /// The stream starts anew: nothing before `position` counts any more.
    func restart(_ number: UInt64, at position: UInt64) { state.withLock { $0.book.restart(number, at: position) } }

    /// Before the write: the acknowledgement can be faster than the return of the call that wrote.
    func startsWriting(_ number: UInt64, upTo position: UInt64) {
        let now = ContinuousClock.now
        state.withLock { $0.book.startsWriting(number, upTo: position, at: now) }
    }

    func endsWriting(_ number: UInt64) { state.withLock { $0.book.endsWriting(number) } }

    /// Closes the connections of edges that do not read: too long in one write, or passed by the ring meanwhile.
    ///
    /// - Returns: their names.
    func cutStuck(floor: UInt64, now: ContinuousClock.Instant) -> [String] {
        let stuck = state.withLock { state in
            state.book.stuck(floor: floor, at: now, writeTimeMax: Self.writeTimeMax).map { number in
                (state.open[number]?.channel, state.book.name(number))
            }
        }
        for (channel, _) in stuck { channel?.close(promise: nil) }
        return stuck.compactMap(\.1)
    }

    /// How many edges are connected here, and the lowest position that all of them have applied.
    package var summary: (edges: Int, applied: UInt64?) { state.withLock { $0.book.summary } }

    func names(behind position: UInt64) -> [String] { state.withLock { $0.book.names(behind: position) } }

    /// Each open stream, for the list of edges.
    var connections: [EdgeConnection] {
        state.withLock { state in
            state.book.standings.compactMap { stream in
                state.open[stream.number].map { open in
                    EdgeConnection(
                        edge: stream.edgeID, applied: stream.applied, since: open.since.formatted(.iso8601))
                }
            }
        }
    }

    var edgeIDs: [Int64] { state.withLock { $0.book.edgeIDs } }
}

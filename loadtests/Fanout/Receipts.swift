import NIOCore
import Synchronization

/// When each subscriber heard of each change.
final class Receipts: Sendable {
    private let subscribersCount: Int
    private let changesCount: Int
    private let state: Mutex<State>

    private struct State {
        /// Row by row a subscriber; 0: not yet.
        var times: [UInt64]
        /// Changes that each subscriber has heard of.
        var heard: [Int]
        var open = 0
        var failure: BenchFailure?
    }

    init(subscribers: Int, changes: Int) {
        subscribersCount = subscribers
        changesCount = changes
        state = Mutex(
            State(
                times: Array(repeating: 0, count: subscribers * changes), heard: Array(repeating: 0, count: subscribers)
            ))
    }

    func opened() { state.withLock { $0.open += 1 } }

    func failed(_ failure: BenchFailure) { state.withLock { $0.failure = $0.failure ?? failure } }

    /// The subscriber's next change arrived.
    func heard(_ subscriber: Int, at time: NIODeadline) {
        state.withLock { state in
            let change = state.heard[subscriber]
            guard change < changesCount else { return }
            state.times[subscriber * changesCount + change] = time.uptimeNanoseconds
            state.heard[subscriber] += 1
        }
    }

    /// How many subscribers have heard a lease, and so stand in the feed.
    ///
    /// - Throws: the first failure of a subscriber.
    func openCount() throws -> Int {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.open
        }
    }

    /// Receipts that are still to come.
    func missing() throws -> Int {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.times.count { $0 == 0 }
        }
    }

    /// Milliseconds from `starts` to each receipt of each change.
    func delays(since starts: [NIODeadline]) -> [Double] {
        let times = state.withLock { $0.times }
        return times.enumerated().compactMap { place, time in
            let start = starts[place % changesCount].uptimeNanoseconds
            return time == 0 ? nil : (Double(time) - Double(start)) / 1e6
        }
    }

    /// The first receipt of each change, whoever had it; nil for a change that nobody heard of.
    func first() -> [NIODeadline?] {
        let times = state.withLock { $0.times }
        return (0..<changesCount).map { change in
            let all = (0..<subscribersCount).map { times[$0 * changesCount + change] }.filter { $0 > 0 }
            return all.min().map { NIODeadline.uptimeNanoseconds($0) }
        }
    }
}

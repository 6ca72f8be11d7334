import NIOCore
import Synchronization

/// The sessions of an open loop that are under way, a bounded number. One task enters, many leave.
final class InFlight: Sendable {
    private struct State {
        var count = 0
        var peak = 0
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let max: Int
    private let state = Mutex(State())

    init(max: Int) { self.max = max }

    var count: Int { state.withLock { $0.count } }
    var peak: Int { state.withLock { $0.peak } }

    /// Waits for a place.
    ///
    /// - Returns: false if it had to wait.
    func enter() async -> Bool {
        if tryEnter() { return true }
        repeat {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.count < max { return true }
                    state.waiting = continuation
                    return false
                }
                if isFree { continuation.resume() }
            }
        } while !tryEnter()
        return false
    }

    func leave() {
        let waiting = state.withLock { state in
            state.count -= 1
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    private func tryEnter() -> Bool {
        state.withLock { state in
            guard state.count < max else { return false }
            state.count += 1
            state.peak = Swift.max(state.peak, state.count)
            return true
        }
    }
}

import NIOCore
import NIOPosix
import Synchronization

/// How late this process comes to its own timers: on every event loop, and in Swift's pool of threads.
///
/// What is late here is late in every latency that is measured beside it, and the server is not to blame.
final class LoopWatch: Sendable {
    private static let interval: TimeAmount = .milliseconds(10)

    private let lateness = Mutex(LatencyHistogram())

    /// Runs `body` with a timer on each loop.
    func whileWatching<Answer>(_ body: () async throws -> Answer) async rethrows -> Answer {
        let timers = MultiThreadedEventLoopGroup.singleton.makeIterator().map { loop in
            let due = Mutex(NIODeadline.now() + Self.interval)
            return loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { [self] _ in
                due.withLock { due in
                    note(due)
                    due = .now() + Self.interval
                }
            }
        }
        let pool = Task { [self] in
            while !Task.isCancelled {
                let due = NIODeadline.now() + Self.interval
                do { try await Task.sleep(for: .nanoseconds(Self.interval.nanoseconds), tolerance: .zero) } catch {
                    return
                }
                note(due)
            }
        }
        defer {
            pool.cancel()
            for timer in timers { timer.cancel() }
        }
        return try await body()
    }

    /// What came since the last call.
    func take() -> LatencyHistogram {
        lateness.withLock { lateness in
            defer { lateness.removeAll() }
            return lateness
        }
    }

    private func note(_ due: NIODeadline) {
        let late = NIODeadline.now() - due
        lateness.withLock { $0.record(late) }
    }
}

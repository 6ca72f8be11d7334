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
            Timer(watch: self, loop: loop)
        }
        for timer in timers { timer.loop.execute { timer.wait() } }
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
            for timer in timers { timer.loop.execute { timer.stop() } }
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

    /// Waits again and again on its loop, and is used there only.
    private final class Timer: @unchecked Sendable {
        let loop: any EventLoop
        private let watch: LoopWatch
        private var isStopped = false

        init(watch: LoopWatch, loop: any EventLoop) {
            self.watch = watch
            self.loop = loop
        }

        func wait() {
            guard !isStopped else { return }
            let due = NIODeadline.now() + LoopWatch.interval
            loop.scheduleTask(deadline: due) { [self] in
                watch.note(due)
                wait()
            }
        }

        func stop() { isStopped = true }
    }

    private func note(_ due: NIODeadline) {
        let late = NIODeadline.now() - due
        lateness.withLock { $0.record(late) }
    }
}

import NIOCore
import Synchronization

@testable import LoadTest

/// Sessions of a script: each takes as long as it says, and what each was asked is kept.
final class ScriptedMaker: SessionMaker {
    struct Asked: Hashable, Sendable {
        let user: Int
        let number: Int
        let drawn: UInt64
    }

    private let took: @Sendable (Int) -> Duration
    private let hasFailed: @Sendable (Int) -> Bool
    private let state = Mutex<(asked: [Asked], now: Int, peak: Int)>(([], 0, 0))

    init(
        took: @escaping @Sendable (Int) -> Duration = { _ in .milliseconds(1) },
        hasFailed: @escaping @Sendable (Int) -> Bool = { _ in false }
    ) {
        self.took = took
        self.hasFailed = hasFailed
    }

    var asked: [Asked] { state.withLock { $0.asked } }
    /// Sessions at once, at most.
    var peak: Int { state.withLock { $0.peak } }

    func session(user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom) async -> SessionRecord {
        let drawn = random.next()
        state.withLock { state in
            state.asked.append(Asked(user: user, number: number, drawn: drawn))
            state.now += 1
            state.peak = max(state.peak, state.now)
        }
        let began = NIODeadline.now()
        try? await Task.sleep(for: took(number))
        state.withLock { $0.now -= 1 }
        var record = SessionRecord(
            kind: .resolution, name: "app-\(number % 3)", intended: intended, began: began, ended: .now())
        record.requests = 7
        record.rounds = 2
        record.bytes = 1_000
        if hasFailed(number) {
            record.hasFailed = true
            record.errors = ["status 503": 2]
        }
        return record
    }
}

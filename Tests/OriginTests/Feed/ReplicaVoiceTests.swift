import Synchronization
import Testing

@testable import Origin

/// I10: what a replica says of its edges comes in order, and a crowd says it once.
struct ReplicaVoiceTests {
    /// Speaks only when it is let, and notes what it would have said.
    private final class Stage: Sendable {
        let edges = Mutex(0)
        let said = Mutex<[(edges: Int, withStreams: Bool)]>([])
        let isRunning = Mutex(false)
        private let gate = AsyncStream<Void>.makeStream()

        func speak(_ withStreams: Bool) async {
            #expect(
                isRunning.withLock { running in
                    defer { running = true }
                    return !running
                }, "two words at once")
            said.withLock { $0.append((edges.withLock { $0 }, withStreams)) }
            var turns = gate.stream.makeAsyncIterator()
            await turns.next()
            isRunning.withLock { $0 = false }
        }

        func letSpeak() { gate.continuation.yield() }
    }

    private struct Failed: Error {}

    @Test func `who comes while it speaks shares the next word, which is newer than all of them`() async throws {
        let stage = Stage()
        let voice = ReplicaVoice { await stage.speak($0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await voice.say() }
            while stage.said.withLock({ $0.isEmpty }) { await Task.yield() }
            for number in 1...100 {
                stage.edges.withLock { $0 += 1 }
                group.addTask { try await voice.say(withStreams: number == 50) }
            }
            // All hundred have come before the first word ends.
            while await voice.waitingCount < 100 { await Task.yield() }
            stage.letSpeak()
            while stage.said.withLock({ $0.count }) < 2 { await Task.yield() }
            stage.letSpeak()
            try await group.waitForAll()
        }
        let said = stage.said.withLock { $0 }
        #expect(said.map(\.edges) == [0, 100])
        #expect(said.map(\.withStreams) == [false, true])
    }

    @Test func `a word that fails fails for all who waited for it, and the next one is said`() async throws {
        let isBroken = Mutex(true)
        let voice = ReplicaVoice { _ in if isBroken.withLock({ $0 }) { throw Failed() } }
        await #expect(throws: Failed.self) { try await voice.say() }
        isBroken.withLock { $0 = false }
        try await voice.say()
    }
}

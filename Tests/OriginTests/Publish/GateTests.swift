import Hummingbird
import Testing

@testable import Origin

struct GateTests {
    @Test func `no more are inside than the gate lets in, and all get through`() async throws {
        let gate = Gate(insideMax: 3, waitingMax: 100)
        let counts = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await gate.pass {
                        await counts.enter()
                        await Task.yield()
                        await counts.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await counts.most <= 3)
        #expect(await counts.done == 50)
    }

    private actor Counts {
        private var inside = 0
        private(set) var most = 0
        private(set) var done = 0

        func enter() {
            inside += 1
            most = max(most, inside)
        }

        func leave() {
            inside -= 1
            done += 1
        }
    }

    @Test func `who finds the line full is sent away with 503`() async throws {
        let gate = Gate(insideMax: 1, waitingMax: 0)
        try await gate.pass {
            let refusal = await #expect(throws: Refusal.self) { try await gate.pass {} }
            #expect(refusal?.status == .serviceUnavailable && refusal?.headers[.retryAfter] != nil)
        }
        try await gate.pass {}
    }

    @Test func `a failure inside gives the place back`() async throws {
        struct Trouble: Error {}
        let gate = Gate(insideMax: 1, waitingMax: 0)
        await #expect(throws: Trouble.self) { try await gate.pass { throw Trouble() } }
        try await gate.pass {}
    }

    @Test func `who is patient lets all others go first`() async throws {
        let gate = Gate(insideMax: 1, waitingMax: 8)
        let (order, passed) = AsyncStream<String>.makeStream()
        let tasks = try await gate.pass {
            var tasks: [Task<Void, any Error>] = []
            for name in ["patient", "other"] {
                tasks.append(Task { try await gate.pass(isPatient: name == "patient") { _ = passed.yield(name) } })
                while gate.waitingCount < tasks.count { try await Task.sleep(for: .milliseconds(1)) }
            }
            return tasks
        }
        for task in tasks { try await task.value }
        passed.finish()
        #expect(await order.reduce(into: []) { $0.append($1) } == ["other", "patient"])
    }

    @Test func `who is cancelled while waiting leaves the line`() async throws {
        let gate = Gate(insideMax: 1, waitingMax: 1)
        try await gate.pass {
            let waiter = Task { try await gate.pass {} }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
        }
        try await gate.pass {}
    }
}

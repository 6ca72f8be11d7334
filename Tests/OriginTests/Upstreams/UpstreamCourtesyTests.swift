import Registry
import Synchronization
import Testing

@testable import Origin

struct UpstreamCourtesyTests {
    /// How many are inside at once, until they are let go.
    private final class Room: Sendable {
        private let state = Mutex((inside: 0, isOpen: false))

        var inside: Int { state.withLock { $0.inside } }

        func open() { state.withLock { $0.isOpen = true } }

        func stay() async throws {
            state.withLock { $0.inside += 1 }
            while !state.withLock({ $0.isOpen }) { try await Task.sleep(for: .milliseconds(5)) }
        }

        /// Returns when as many are inside, and had time to become more.
        func fill(to count: Int) async throws {
            while inside < count { try await Task.sleep(for: .milliseconds(5)) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private static func upstream() throws -> Upstream {
        Upstream(
            id: 1, name: "up", index: try #require(UpstreamIndex("sparse+https://up.example/")), filter: .init(),
            freshSeconds: 60, privateAllowed: false, alsoHosts: [], sealedCredential: nil)
    }

    @Test(arguments: [(http2: false, atOnce: 16), (http2: true, atOnce: 48)])
    func `what is asked ahead leaves places for those who wait`(http2: Bool, atOnce: Int) async throws {
        let (courtesy, upstream, ahead, waiting) = (UpstreamCourtesy(), try Self.upstream(), Room(), Room())
        try await courtesy.pass(.index, upstream) { if http2 { courtesy.speaksHTTP2(upstream) } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask { try await courtesy.pass(.ahead, upstream) { try await ahead.stay() } }
            }
            try await ahead.fill(to: atOnce)
            #expect(ahead.inside == atOnce)
            for _ in 0..<(64 - atOnce) {
                group.addTask { try await courtesy.pass(.index, upstream) { try await waiting.stay() } }
            }
            try await waiting.fill(to: 64 - atOnce)
            #expect(ahead.inside == atOnce)
            ahead.open()
            waiting.open()
            try await group.waitForAll()
        }
        #expect(ahead.inside == 100)
    }
}

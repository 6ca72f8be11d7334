import Glibc
import TestSupport
import Testing

extension Faults {
    /// The origin, its database, or both are gone for a while.
    @Suite(.serialized)
    struct OriginFaultTests {
        enum End: String, CaseIterable, Sendable { case killed, stopped }

        @Test(arguments: End.allCases) func `the origin is restarted`(end: End) async throws {
            try await Scene.run("origin \(end) and started again") { scene in
                scene.breaks()
                switch end {
                case .killed: await scene.system.origin.killNow()
                case .stopped: await scene.system.origin.stop()
                }
                // Longer than the lease: both edges are blind and serve what they hold.
                try await Task.sleep(for: .seconds(3))
                for edge in scene.system.edges {
                    #expect(await scene.watch.noteApplied(edge)?.isFresh == false, "\(edge.name)")
                }
                let repair = ContinuousClock.now
                try await scene.system.origin.start()
                try await scene.untilFresh(since: repair)
            }
        }

        @Test func `the origin is replaced by the other replica`() async throws {
            try await Scene.run("origin replaced by the other replica", .init(replicas: 2)) { scene in
                scene.breaks()
                await scene.system.origin.killNow()
                try await scene.untilFresh()
                // Calm again, with one replica: reads and writes go on and are checked.
                try await Task.sleep(for: .seconds(2))
                try await scene.system.origin.start()
                try await Task.sleep(for: .seconds(1))
            }
        }

        @Test func `PostgreSQL is restarted`() async throws {
            try await Scene.run("PostgreSQL restarted", .init(database: .own)) { scene in
                let postgres = try #require(scene.postgres)
                scene.breaks()
                await postgres.stopFast()
                try await Task.sleep(for: .seconds(4))
                let repair = ContinuousClock.now
                try await postgres.startAgain()
                try await scene.untilFresh(since: repair)
            }
        }

        @Test func `PostgreSQL dies and its standby takes over`() async throws {
            try await Scene.run("PostgreSQL failed over", .init(database: .withStandby)) { scene in
                let postgres = try #require(scene.postgres)
                let before = scene.publisher.answered.count
                scene.breaks()
                let repair = ContinuousClock.now
                try await postgres.failOver()
                try await scene.untilFresh(since: repair)
                try await scene.until("publishes are accepted") { scene.publisher.answered.count > before + 2 }
            }
        }
    }
}

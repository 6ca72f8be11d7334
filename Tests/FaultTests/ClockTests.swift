import TestSupport
import Testing

extension Faults {
    /// A clock is set back by an hour.
    @Suite(.serialized, .enabled(if: FakeClock.isPossible, Comment(rawValue: FakeClock.reason)))
    struct ClockTests {
        @Test func `an edge's clock is set back`() async throws {
            let clock = FakeClock()
            let plan = Scene.Plan(edgeFlags: ["--disk-bytes-max", "4MiB"]) { places, folder in
                try await clock.rule(&places.far, in: folder)
            }
            try await Scene.run("clock set back on an edge", plan) { scene in
                var hulls: [Publisher.Answered] = []
                for number in 0..<6 {
                    let crate = MadeCrate.large("hull-\(number)", "1.0.0", bytes: 900_000)
                    hulls.append(try #require(await scene.publisher.publish(crate, onShelf: false)))
                }
                for hull in hulls.prefix(4) { try await scene.mustServe(hull) }
                scene.breaks()
                try clock.set(-3600)
                try await Task.sleep(for: .seconds(3))
                try await scene.untilFresh()
                // Its disk is full, and what is on it was used in what is now the future: it makes room all the same.
                for hull in hulls.suffix(2) { try await scene.mustServe(hull) }
                #expect(scene.far.blobBytes <= 4 << 20, "I9")
                scene.breaks()
                scene.watch.mayBeDown(scene.far.name)
                await scene.far.killNow()
                try await scene.startFar()
            }
        }

        @Test func `the origin's clock is set back`() async throws {
            let clock = FakeClock()
            let plan = Scene.Plan { places, folder in try await clock.rule(&places.origin, in: folder) }
            try await Scene.run("clock set back on the origin", plan) { scene in
                scene.breaks()
                try clock.set(-3600)
                try await Task.sleep(for: .seconds(3))
                try await scene.untilFresh()
                try await scene.revoke(at: scene.system.edges)
                scene.breaks()
                await scene.system.origin.killNow()
                try await scene.system.origin.start()
                try await scene.untilFresh()
            }
        }
    }
}

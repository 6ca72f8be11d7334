import TestSupport
import Testing

extension Faults {
    /// A disk has no room left while everybody goes on.
    @Suite(.serialized)
    struct DiskFullTests {
        @Test func `an edge's disk is full`() async throws {
            let plan = Scene.Plan { places, _ in places.far.prefix += SmallDisk.prefix(megabytes: 24, below: "") }
            try await Scene.run("disk full on an edge", plan) { scene in
                let disk = SmallDisk(try #require(scene.far.process?.pid), scene.far.data)
                let hull = try #require(
                    await scene.publisher.publish(.large("hull", "1.0.0", bytes: 2_000_000), onShelf: false))
                scene.breaks()
                try disk.fill()
                let refused = try #require(await scene.watch.ask(scene.far, hull.path, as: "large crate"))
                #expect(refused.status == 503, "\(refused.text)")
                try await Task.sleep(for: .seconds(4))
                try disk.free()
                try await scene.untilFresh()
                try await scene.mustServe(hull)
            }
        }

        @Test func `the origin's disk is full`() async throws {
            let plan = Scene.Plan { places, _ in
                places.origin.prefix += SmallDisk.prefix(megabytes: 24, below: "/blobs")
            }
            try await Scene.run("disk full on the origin", plan) { scene in
                let origin = scene.system.origin
                let disk = SmallDisk(try #require(origin.process?.pid), origin.data + "/blobs")
                scene.breaks()
                try disk.fill()
                let before = scene.publisher.answered.count
                #expect(await scene.publisher.publish(.large("hull", "1.0.0", bytes: 2_000_000)) == nil)
                try await Task.sleep(for: .seconds(4))
                scene.note("\(scene.publisher.answered.count - before) small publishes found room")
                try disk.free()
                try await scene.untilFresh()
                let hull = try #require(await scene.publisher.publish(.large("hull", "1.0.0", bytes: 2_000_000)))
                try await scene.mustServe(hull)
            }
        }
    }
}

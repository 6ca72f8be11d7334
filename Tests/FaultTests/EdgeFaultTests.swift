import Foundation
import TestSupport
import Testing

extension Faults {
    /// The edge itself fails: killed, its disk full, its files damaged.
    @Suite(.serialized)
    struct EdgeFaultTests {
        @Test func `an edge is killed in the middle of a fill`() async throws {
            let slow = LinkShape(megabitsEachSecond: 4, queueMilliseconds: 400)
            try await Scene.run("edge killed during a fill", .init(link: slow)) { scene in
                let hull = try #require(await scene.publisher.publish(.large("hull", "1.0.0"), onShelf: false))
                scene.breaks()
                scene.watch.mayBeDown(scene.far.name)
                let asked = Pending { await scene.watch.ask(scene.far, hull.path, as: "large crate")?.status }
                try await scene.until("a part has arrived") { scene.far.incomingBytes > 300_000 }
                await scene.far.killNow()
                #expect(await asked.value == nil, "killed after the answer")
                try await scene.startFar()
                #expect(scene.far.incomingBytes == 0, "the part is deleted at the start")
                let again = try #require(await scene.watch.ask(scene.far, hull.path, as: "large crate"))
                #expect(again.status == 200 && sha256(again.body) == hull.sha256)
            }
        }

        @Test(.enabled(if: FakeClock.isPossible, Comment(rawValue: FakeClock.reason)))
        func `an edge is killed while it evicts`() async throws {
            let clock = FakeClock()
            let plan = Scene.Plan(edgeFlags: ["--disk-bytes-max", "4MiB"]) { places, folder in
                try await clock.rule(&places.far, in: folder)
            }
            try await Scene.run("edge killed during eviction", plan) { scene in
                var hulls: [Publisher.Answered] = []
                for number in 0..<8 {
                    let crate = MadeCrate.large("hull-\(number)", "1.0.0", bytes: 900_000)
                    hulls.append(try #require(await scene.publisher.publish(crate, onShelf: false)))
                }
                for hull in hulls.prefix(4) { try await scene.mustServe(hull) }
                // What was used two seconds ago may go.
                try clock.set(120)
                scene.breaks()
                scene.watch.mayBeDown(scene.far.name)
                await withTaskGroup(of: Void.self) { group in
                    for hull in hulls.dropFirst(4) {
                        group.addTask { _ = await scene.watch.ask(scene.far, hull.path, as: "large crate") }
                    }
                    try? await scene.until("the first has gone") { scene.far.heldBlobs(of: hulls.prefix(4)) < 4 }
                    await scene.far.killNow()
                }
                #expect(scene.far.heldBlobs(of: hulls.prefix(4)) < 4)
                try await scene.startFar()
                try clock.set(300)
                for hull in hulls.suffix(3) { try await scene.mustServe(hull) }
                #expect(scene.far.blobBytes <= 4 << 20, "I9")
            }
        }

        @Test func `files of an edge are damaged`() async throws {
            try await Scene.run("catalogue corrupted, blob bits flipped") { scene in
                try await scene.until("eu holds some crates") { scene.far.blobPaths.count >= 5 }
                try await Task.sleep(for: .seconds(1))
                scene.breaks()
                scene.watch.mayBeDown(scene.far.name)
                await scene.far.stop()
                let blobs = scene.far.blobPaths
                for path in blobs { try Damage.flipBit(in: path) }
                try await scene.startFar()
                // The watch has downloaded all of them when it has gone round once.
                let round = scene.publisher.answered
                for made in round { try await scene.mustServe(made) }
                scene.note("\(blobs.count) blobs flipped")

                scene.breaks()
                scene.watch.mayBeDown(scene.far.name)
                await scene.far.killNow()
                try Damage.scribble(over: scene.far.data + "/catalogue.sqlite")
                try await scene.startFar()
                for made in round.suffix(3) { try await scene.mustServe(made) }
            }
        }
    }
}

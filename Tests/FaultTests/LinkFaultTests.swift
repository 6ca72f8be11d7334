import Foundation
import NIOCore
import TestSupport
import Testing

extension Faults {
    /// The link between origin and edge fails; nobody is told.
    @Suite(.serialized)
    struct LinkFaultTests {
        @Test func `the feed is cut in the middle of its events`() async throws {
            // 12 kB a second: what is published while the link is down takes seconds to pass.
            let slow = LinkShape(megabitsEachSecond: 0.1, queueMilliseconds: 4000)
            try await Scene.run("feed cut in the middle", .init(link: slow, publishes: false)) { scene in
                scene.breaks()
                scene.link.cut()
                let before = scene.watch.applied(by: scene.far.name)
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<60 {
                        group.addTask {
                            _ = await scene.publisher.publish(
                                MadeCrate(Publisher.crates[number % 4], "2.0.\(number)"))
                        }
                    }
                }
                let head = try await scene.watch.learn(scene.pool)
                #expect(head >= before + 60)
                scene.link.restore()
                try await scene.until("some of the events have passed") {
                    (await scene.watch.noteApplied(scene.far)?.position ?? 0) > before
                }
                scene.link.cut()
                let middle = try #require(await scene.watch.noteApplied(scene.far)).position
                scene.note("cut at position \(middle) of \(before)...\(head)")
                try await Task.sleep(for: .seconds(3))
                // Blind, and it knows (I5).
                #expect(await scene.watch.noteApplied(scene.far)?.isFresh == false)
                scene.link.restore()
                try await scene.untilFresh()
            }
        }

        @Test func `an index file is cut in the middle`() async throws {
            // The file takes more than two seconds.
            let slow = LinkShape(megabitsEachSecond: 0.5, queueMilliseconds: 1000)
            try await Scene.run("index fill cut in the middle", .init(link: slow)) { scene in
                // Names without a pattern: clients that unpack answers distrust what is far smaller packed.
                let names = MadeCrate.noise(72_000, seed: "bulky").chunks(of: 240).map { "f-" + $0 }
                let crate = zip(names, names.dropFirst()).reduce(MadeCrate("bulky", "1.0.0")) { made, pair in
                    made.feature(pair.0, pair.1 == names.last ? [] : [pair.1])
                }
                try #require(await scene.publisher.publish(crate) != nil)
                let question = try Watch.Question("main", "bulky")
                let bytes = try await httpGet(scene.system.origin.url + question.path).body.readableBytes
                try #require(bytes > 140_000)
                let asked = Pending { await scene.watch.read(question, at: scene.far)?.status }
                try await Task.sleep(for: .milliseconds(700))
                scene.breaks()
                scene.link.cut()
                #expect(!asked.isDone, "the cut came after the answer")
                // Never 404 (I11): nothing is held and nobody can be asked.
                #expect(await asked.value == 503)
                scene.link.restore()
                try await scene.untilFresh()
                try await scene.until("the file is served") {
                    await scene.watch.read(question, at: scene.far)?.status == 200
                }
                scene.note("\(bytes) bytes, cut after 0.7 s")
            }
        }

        @Test func `a crate file is cut in the middle`() async throws {
            let slow = LinkShape(megabitsEachSecond: 4, queueMilliseconds: 400)
            try await Scene.run("crate file cut in the middle", .init(link: slow)) { scene in
                let hull = try #require(await scene.publisher.publish(.large("hull", "1.0.0"), onShelf: false))
                let asked = Pending { await scene.watch.ask(scene.far, hull.path, as: "large crate")?.status }
                try await scene.until("a part has arrived") { scene.far.incomingBytes > 300_000 }
                scene.breaks()
                scene.link.cut()
                let arrived = scene.far.incomingBytes
                #expect(!asked.isDone, "the cut came after the answer")
                #expect(await asked.value == 503)
                #expect(scene.far.incomingBytes == 0, "the part is deleted")
                scene.link.restore()
                try await scene.untilFresh()
                let again = try #require(await scene.watch.ask(scene.far, hull.path, as: "large crate"))
                #expect(again.status == 200 && sha256(again.body) == hull.sha256)
                scene.note("cut after \(arrived) of \(again.body.readableBytes) bytes")
            }
        }

        @Test func `connections stay half open`() async throws {
            try await Scene.run("half-open connections") { scene in
                scene.breaks()
                scene.link.cut()
                // Longer than any side waits for the other's next word.
                try await scene.until("eu knows that it is blind") {
                    await scene.watch.noteApplied(scene.far)?.isFresh == false
                }
                try await scene.revoke(at: [scene.near])
                try await Task.sleep(for: .seconds(12))
                #expect(await scene.watch.noteApplied(scene.far)?.isFresh == false)
                #expect(await scene.watch.noteApplied(scene.near)?.isFresh == true)
                scene.link.restore()
                try await scene.untilFresh()
            }
        }

        @Test func `the link loses packets all the time`() async throws {
            try await Scene.run("3 % of all packets lost", .init(link: LinkShape(loss: 0.03))) { scene in
                try await Task.sleep(for: .seconds(6))
                try await scene.untilFresh()
            }
        }
    }
}

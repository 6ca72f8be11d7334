import TestSupport
import Testing

/// All scenarios, one after the other: each has the machine for itself.
@Suite(.serialized, .enabled(if: Namespaces.isPossible, Comment(rawValue: Namespaces.reason)))
enum Faults {}

extension Faults {
    /// The link between origin and edge fails; nobody is told.
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
    }
}

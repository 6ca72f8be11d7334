import NIOCore
import Registry
import Testing

@testable import EdgeCache

/// I5: an edge knows when it is blind.
struct BlindnessTests {
    @Test func `without a lease for the lease time nothing is current`() {
        var scene = CoreScene()
        scene.hold(scene.foo, at: 10)
        scene.pass(.milliseconds(4999))
        #expect(scene.ask(scene.foo) == .serve(1))
        scene.pass(.milliseconds(1))
        #expect(scene.core.glance(scene.foo, at: scene.now) == nil)
        #expect(scene.ask(scene.foo) == .start(2))
    }

    @Test func `a head that is not applied yet makes the edge blind`() {
        var scene = CoreScene()
        scene.hold(scene.foo, at: 10)
        scene.core.heardLease(head: 11, at: scene.now)
        #expect(scene.core.glance(scene.foo, at: scene.now) == nil)
        scene.event(11, .nothing)
        #expect(scene.ask(scene.foo) == .serve(1))
    }

    // A31
    @Test func `a silent origin and a held file is stale, after one question`() {
        var scene = CoreScene()
        scene.hold(scene.foo, generation: 6, at: 10)
        scene.pass(.seconds(6))
        #expect(scene.ask(scene.foo) == .start(2))
        #expect(scene.end(2, .failed(isUnreachable: true)) == .failed)
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now)?.generation == 6)
        #expect(scene.ask(scene.foo) == .stale(6))
    }

    // A32, I11
    @Test func `a silent origin and nothing held is refused, never absent`() {
        var scene = CoreScene(isFresh: false)
        #expect(scene.ask(scene.foo) == .start(1))
        #expect(scene.end(1, .failed(isUnreachable: true)) == .failed)
        #expect(scene.ask(scene.foo) == .refuse)
        #expect(scene.ask(scene.bar) == .refuse)
    }

    @Test func `what is lost on the way while the edge is fresh is asked for again, for a while`() {
        var scene = CoreScene()
        #expect(scene.ask(scene.foo) == .start(1))
        scene.pass(.seconds(4))
        #expect(scene.end(1, .failed(isUnreachable: true)) == .again(1))
        scene.pass(.milliseconds(999))
        #expect(scene.end(1, .failed(isUnreachable: true)) == .again(1))
        scene.core.heardLease(head: 10, at: scene.now)
        scene.pass(.milliseconds(3001))
        #expect(scene.end(1, .failed(isUnreachable: true)) == .failed, "four seconds after its first loss")
        #expect(scene.ask(scene.foo) == .start(2))
        scene.pass(.seconds(5))
        #expect(scene.end(2, .failed(isUnreachable: true)) == .failed, "blind")
    }

    @Test func `what the origin refuses is not asked for again`() {
        var scene = CoreScene()
        #expect(scene.ask(scene.foo) == .start(1))
        #expect(scene.end(1, .failed(isUnreachable: false)) == .failed)
    }

    @Test func `after a pause one question goes out again`() {
        var scene = CoreScene(isFresh: false)
        #expect(scene.ask(scene.foo) == .start(1))
        _ = scene.end(1, .failed(isUnreachable: true))
        scene.pass(.milliseconds(250))
        #expect(scene.ask(scene.foo) == .start(2))
        #expect(scene.ask(scene.bar) == .refuse)
    }

    @Test func `who can be served stale does not wait for the question under way`() {
        var scene = CoreScene()
        scene.hold(scene.foo, at: 10)
        scene.pass(.seconds(6))
        #expect(scene.ask(scene.bar) == .start(2))
        _ = scene.end(2, .failed(isUnreachable: true))
        scene.pass(.milliseconds(300))
        #expect(scene.ask(scene.foo) == .start(3))
        #expect(scene.ask(scene.foo) == .stale(1))
    }

    @Test func `the offline rule ends what may be served stale`() {
        var scene = CoreScene()
        scene.hold(scene.foo, at: 10)
        scene.pass(.seconds(3599))
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now) != nil)
        #expect(scene.core.fallback(for: scene.question(scene.foo, offline: .refuse), at: scene.now) == nil)
        scene.pass(.seconds(1))
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now) == nil)
    }

    @Test func `I5: a lease whose head is not applied does not lengthen what may be served stale`() {
        var scene = CoreScene(applied: 10)
        scene.hold(scene.foo, at: 10)
        scene.pass(.seconds(3599))
        scene.core.heardLease(head: 12, at: scene.now)
        scene.pass(.seconds(10))
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now) == nil)
        scene.event(11, .nothing)
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now) == nil)
        scene.event(12, .nothing)
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now)?.generation == 1)
    }

    @Test func `I5: what was not verified before a restart is not served stale after it, until it is asked for`() {
        var scene = CoreScene(applied: 10)
        scene.hold(scene.foo, at: 10)
        scene.core.reset(to: 20, at: scene.now)
        let saved = SavedEntry(
            key: scene.foo, kind: .index, tag: CoreScene.value().tag, position: 10, epoch: 1, body: ByteBuffer())
        scene.core = CacheCore(limits: CacheCore.Limits(), applied: 20, epoch: 2)
        scene.core.restore(saved, as: CoreScene.value(), verifiedAt: scene.now)
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now) == nil)
        #expect(scene.ask(scene.foo) == .start(1))
        #expect(scene.end(1, .same(position: 20)) == .value(1))
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now)?.generation == 1)
    }

    @Test func `after a reset and a restart the list of repositories is still served stale`() {
        var scene = CoreScene()
        let saved = SavedEntry(
            key: .repositories, kind: .repositories, tag: nil, position: 10, epoch: 1, body: ByteBuffer())
        scene.core = CacheCore(limits: CacheCore.Limits(), applied: 20, epoch: 2)
        scene.core.restore(saved, as: CoreScene.value(), verifiedAt: scene.now)
        let century = OfflineRule.serveStale(atMost: .seconds(100 * 365 * 86_400))
        let question = CacheQuestion(.repositories, .repositories, offline: century)
        #expect(scene.core.fallback(for: question, at: scene.now)?.generation == 1)
        #expect(scene.core.glance(.repositories, at: scene.now) == nil, "but never as current")
    }

    @Test func `what every edge should hold is asked for again when it is in doubt, by an edge that is fresh`() {
        var scene = CoreScene()
        #expect(scene.core.lacks(scene.foo, at: scene.now), "missing")
        scene.hold(scene.foo, at: 10)
        #expect(!scene.core.lacks(scene.foo, at: scene.now))
        scene.core.reset(to: 20, at: scene.now)
        #expect(scene.core.lacks(scene.foo, at: scene.now), "in doubt")
        scene.pass(.seconds(6))
        #expect(!scene.core.lacks(scene.foo, at: scene.now), "blind")
        scene.core.heardLease(head: 20, at: scene.now)
        scene.hold(scene.foo, generation: 2, at: 20)
        #expect(!scene.core.lacks(scene.foo, at: scene.now))
    }

    @Test func `an unknown kind of event makes everything unverified, and keeps it as a fallback`() {
        var scene = CoreScene()
        scene.hold(scene.foo, at: 10)
        scene.event(11, .distrustEverything)
        #expect(scene.ask(scene.foo) == .start(2))
        #expect(scene.end(2, .same(position: 11)) == .value(1))
        #expect(scene.ask(scene.foo) == .serve(1))
    }

    @Test func `a reset makes everything unverified, whatever its position`() {
        var scene = CoreScene()
        scene.hold(scene.foo, at: 10)
        #expect(scene.ask(scene.bar) == .start(2))
        scene.core.reset(to: 5, at: scene.now)
        #expect(scene.core.feed.applied == 5)
        #expect(scene.ask(scene.foo) == .start(3))
        // Its answer was on the way when the feed began anew: nobody can say what it has seen.
        #expect(scene.end(2, .value(CoreScene.value(1), position: 12)) == .again(2))
        #expect(scene.end(2, .value(CoreScene.value(1), position: 6)) == .value(1))
    }
}

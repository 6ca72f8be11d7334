import NIOCore
import Registry
import Testing

@testable import EdgeCache

struct CacheCoreTests {
    @Test func `what is held is served without a question`() {
        var scene = CoreScene()
        scene.hold(scene.foo, generation: 3, at: 10)
        #expect(scene.ask(scene.foo) == .serve(3))
        #expect(scene.core.glance(scene.foo, at: scene.now)?.generation == 3)
    }

    // I10: the stampede.
    @Test func `however many ask, one fetch starts`() {
        var scene = CoreScene()
        #expect(scene.ask(scene.foo) == .start(1))
        for _ in 0..<500 { #expect(scene.ask(scene.foo) == .join(1)) }
        #expect(scene.core.fetchesRunning == 1)
    }

    // A11
    @Test func `an absent name is held like a file`() {
        var scene = CoreScene()
        #expect(scene.ask(scene.foo) == .start(1))
        #expect(scene.end(1, .value(.absent(), position: 10)) == .value(0))
        #expect(scene.core.glance(scene.foo, at: scene.now)?.isAbsent == true)
        scene.event(11, .drop(scene.foo, .index))
        #expect(scene.ask(scene.foo) == .start(2))
    }

    // I4
    @Test func `an answer that left before the invalidation is never stored`() {
        var scene = CoreScene()
        #expect(scene.ask(scene.foo) == .start(1))
        scene.event(11, .drop(scene.foo, .index))
        #expect(scene.end(1, .value(CoreScene.value(1), position: 10)) == .again(1))
        #expect(scene.core.held(scene.foo) == nil)
        #expect(scene.end(1, .value(CoreScene.value(2), position: 11)) == .value(2))
        #expect(scene.ask(scene.foo) == .serve(2))
    }

    // I4
    @Test func `an answer older than what was applied before it was asked is never stored`() {
        var scene = CoreScene(applied: 10)
        scene.event(11, .drop(scene.foo, .index))
        #expect(scene.ask(scene.foo) == .start(1))
        #expect(scene.end(1, .value(CoreScene.value(1), position: 10)) == .again(1))
    }

    @Test func `an origin that stays behind is given up after some tries`() {
        var scene = CoreScene()
        #expect(scene.ask(scene.foo) == .start(1))
        scene.event(11, .drop(scene.foo, .index))
        for _ in 1..<5 { #expect(scene.end(1, .value(CoreScene.value(1), position: 10)) == .again(1)) }
        #expect(scene.end(1, .value(CoreScene.value(1), position: 10)) == .failed)
        #expect(scene.core.held(scene.foo) == nil)
    }

    @Test func `an answer ahead of the feed outlives the events that it has seen`() {
        var scene = CoreScene(applied: 10)
        scene.hold(scene.foo, generation: 5, at: 13)
        scene.event(11, .nothing)
        scene.event(12, .drop(scene.foo, .index))
        scene.event(13, .drop(scene.foo, .index))
        #expect(scene.ask(scene.foo) == .serve(5))
        scene.event(14, .drop(scene.foo, .index))
        #expect(scene.core.held(scene.foo) == nil)
    }

    // No event names a download that came into being, so nothing marks the question that is under way.
    @Test func `I11: the absence of a download is never older than what was applied`() {
        var scene = CoreScene(applied: 10)
        let download = CacheKey(
            path: ByteBuffer(string: "/main/crates/foo/1.0.0/\(String(repeating: "0", count: 64)).crate"))
        #expect(CoreScene.Said(scene.core.ask(CacheQuestion(download, .crate), at: scene.now)) == .start(1))
        scene.event(11, .drop(scene.foo, .index))
        #expect(scene.end(1, .value(.absent(), position: 10)) == .again(1))
        #expect(scene.end(1, .value(CoreScene.value(), position: 11)) == .value(1))
    }

    @Test func `an event for one crate leaves the others alone`() {
        var scene = CoreScene()
        scene.hold(scene.foo, at: 10)
        scene.hold(scene.bar, at: 10)
        scene.event(11, .drop(scene.foo, .index))
        #expect(scene.ask(scene.bar) == .serve(1))
    }

    @Test func `a position is applied once, and a gap is reported`() {
        var scene = CoreScene(applied: 10)
        #expect(scene.core.arrived(10, [.nothing], at: scene.now).step == .skip)
        #expect(scene.core.arrived(12, [.nothing], at: scene.now).step == .resume(after: 10))
        #expect(scene.core.arrived(11, [.nothing], at: scene.now).step == .apply)
    }

    // Design: what was hot is fetched again at once.
    @Test func `what was asked for often is fetched again when it is replaced`() {
        var scene = CoreScene()
        scene.hold(scene.foo, at: 10)
        scene.hold(scene.bar, at: 10)
        for _ in 0..<3 { _ = scene.ask(scene.foo) }
        let tickets = scene.event(11, .drop(scene.foo, .index)) + scene.event(12, .drop(scene.bar, .index))
        #expect(tickets.map(\.key) == [scene.foo])
        #expect(scene.ask(scene.foo) == .join(tickets[0].id))
    }

    // I5
    @Test func `a client that has seen more makes the edge ask`() {
        var scene = CoreScene()
        scene.hold(scene.foo, generation: 17, at: 10)
        #expect(scene.ask(scene.foo, witness: 17) == .serve(17))
        #expect(scene.ask(scene.foo, witness: 18) == .start(2))
        #expect(scene.end(2, .value(CoreScene.value(18), position: 11)) == .value(18))
        #expect(scene.ask(scene.foo, witness: 18) == .serve(18))
    }

    // I5
    @Test func `a question that left before the witness came is asked again`() {
        var scene = CoreScene()
        #expect(scene.ask(scene.foo) == .start(1))
        #expect(scene.ask(scene.foo, witness: 18) == .join(1))
        #expect(scene.end(1, .value(CoreScene.value(17), position: 10)) == .again(1))
        #expect(scene.end(1, .value(CoreScene.value(18), position: 11)) == .value(18))
    }

    @Test func `a witness that lies costs one question and no more`() {
        var scene = CoreScene()
        #expect(scene.ask(scene.foo, witness: 999) == .start(1))
        #expect(scene.end(1, .value(CoreScene.value(3), position: 10)) == .value(3))
    }

    // I5: never 17 for one who has seen 18.
    @Test func `an origin that fails leaves nothing for a client that has seen more`() {
        var scene = CoreScene()
        scene.hold(scene.foo, generation: 17, at: 10)
        #expect(scene.ask(scene.foo, witness: 18) == .start(2))
        scene.pass(.seconds(6))
        #expect(scene.end(2, .failed(isUnreachable: true)) == .failed)
        #expect(scene.core.fallback(for: scene.question(scene.foo, witness: 18), at: scene.now) == nil)
        #expect(scene.core.fallback(for: scene.question(scene.foo), at: scene.now)?.generation == 17)
    }

    @Test func `the same answer saves the body and moves the position`() {
        var scene = CoreScene()
        scene.hold(scene.foo, generation: 4, at: 10)
        scene.pass(.seconds(10))
        #expect(scene.ask(scene.foo) == .start(2))
        #expect(scene.end(2, .same(position: 20)) == .value(4))
        for position: UInt64 in 11...19 { scene.event(position, .nothing) }
        scene.event(20, .drop(scene.foo, .index))
        #expect(scene.core.held(scene.foo)?.generation == 4)
    }

    @Test func `the number of questions under way is bounded`() {
        var limits = CacheCore.Limits()
        limits.fetchesMax = 1
        var scene = CoreScene()
        scene.core = CacheCore(limits: limits, applied: 10)
        scene.core.heardLease(head: 10, at: scene.now)
        #expect(scene.ask(scene.foo) == .start(1))
        #expect(scene.ask(scene.bar) == .refuse)
    }
}

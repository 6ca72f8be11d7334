import NIOCore
import Registry
import Testing

@testable import EdgeCache

/// I7: the origin's word on a token counts for the token lease, and ends with the first event that says so.
struct TokenEntryTests {
    private static func key(_ number: UInt8) -> CacheKey {
        CacheKey(path: ByteBuffer(bytes: [0] + [UInt8](repeating: number, count: 32)))
    }

    private func question(_ number: UInt8) -> CacheQuestion { CacheQuestion(Self.key(number), .token) }

    private func token(of subject: String) -> CachedValue {
        CachedValue(payload: CoreScene.Page(), group: .subject(subject), bytes: 10)
    }

    private func sceneHolding(_ subject: String, as number: UInt8) -> CoreScene {
        var scene = CoreScene()
        guard case .start(let ticket) = scene.core.ask(question(number), at: scene.now) else { return scene }
        _ = scene.end(ticket.id, .value(token(of: subject), position: 10))
        return scene
    }

    @Test func `a verdict counts while the edge is blind, but never beyond the token lease`() {
        var scene = sceneHolding("7", as: 1)
        scene.pass(.seconds(599))
        #expect(scene.core.glance(Self.key(1), at: scene.now) != nil)
        scene.pass(.seconds(1))
        #expect(scene.core.glance(Self.key(1), at: scene.now) == nil)
        #expect(scene.core.fallback(for: question(1), at: scene.now) == nil)
    }

    @Test func `only files that exist are something to serve: no token, no list, no absence`() {
        var scene = sceneHolding("7", as: 1)
        _ = scene.core.ask(CacheQuestion(.repositories, .repositories), at: scene.now)
        _ = scene.end(2, .value(CoreScene.value(), position: 10))
        guard case .start(let absent) = scene.ask(scene.bar) else {
            Issue.record("a file that is not held must be asked for")
            return
        }
        _ = scene.end(absent, .value(.absent(), position: 10))
        #expect(scene.core.count == 3 && !scene.core.holdsFiles)
        scene.hold(scene.foo, at: 10)
        #expect(scene.core.holdsFiles)
        scene.core.forget(scene.foo)
        #expect(!scene.core.holdsFiles)
    }

    // D16
    @Test func `a token event drops the token that it names, and no other`() {
        var scene = sceneHolding("7", as: 1)
        guard case .start(let ticket) = scene.core.ask(question(2), at: scene.now) else {
            Issue.record("a token that is not held must be asked for")
            return
        }
        _ = scene.end(ticket.id, .value(token(of: "8"), position: 10))
        scene.event(11, .dropGroup(.subject("7")))
        #expect(scene.core.glance(Self.key(1), at: scene.now) == nil)
        #expect(scene.core.glance(Self.key(2), at: scene.now) != nil)
    }

    @Test func `a token event overtakes every question about tokens`() {
        var scene = CoreScene()
        guard case .start(let ticket) = scene.core.ask(question(1), at: scene.now) else { return }
        scene.event(11, .dropGroup(.subject("7")))
        #expect(scene.end(ticket.id, .value(token(of: "7"), position: 10)) == .again(ticket.id))
        #expect(scene.core.held(Self.key(1)) == nil)
    }

    @Test func `tokens are never written to the catalogue`() {
        var scene = sceneHolding("7", as: 1)
        #expect(scene.core.takeJournal().changes.isEmpty)
    }
}

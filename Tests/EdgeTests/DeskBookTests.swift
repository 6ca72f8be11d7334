import EdgeCache
import NIOCore
import Registry
import Testing

@testable import Edge

/// Who waits for which fetch, and what each of them gets; waiters are numbers here.
struct DeskBookTests {
    private final class Page: Sendable {}

    private static let foo = "/main/index/3/f/foo"
    private static let crate = "/main/crates/foo/1.0.0/\(String(repeating: "0", count: 64)).crate"

    /// A book that holds one file and has been blind for a second.
    private struct Scene {
        var book: DeskBook<Int>
        var now = Moment(nanoseconds: 1_000_000_000_000)
        let question: CacheQuestion

        init(_ path: String = DeskBookTests.foo, _ kind: CacheKey.Kind = .index) throws {
            book = DeskBook(core: CacheCore(limits: CacheCore.Limits(), applied: 10))
            question = CacheQuestion(
                CacheKey(path: ByteBuffer(string: path)), kind, offline: .serveStale(atMost: .seconds(3600)))
            book.core.heardLease(head: 10, at: now)
            let started = book.ask(question, 0, at: now).started
            let id = try #require(started).id
            _ = book.finished(id, .value(CachedValue(payload: Page()), position: 10), at: now)
            now = now + .seconds(6)
        }

        mutating func ask(_ waiter: Int) -> DeskBook<Int>.Step { book.ask(question, waiter, at: now) }

        /// Asks for all of them, and says where they wait and for which fetch.
        mutating func wait(_ waiters: ClosedRange<Int>) throws -> (places: [DeskBook<Int>.Place], fetch: UInt64) {
            let steps = waiters.map { ask($0) }
            #expect(steps.allSatisfy { $0.finding == nil })
            return (try steps.map { try #require($0.mayGiveUp) }, try #require(steps.first?.started?.id))
        }
    }

    @Test func `who gives up is answered once, with what is held`() throws {
        var scene = try Scene()
        let place = try scene.wait(1...1).places[0]
        let given = scene.book.gaveUp(place, at: scene.now)
        let answer = try #require(given)
        #expect(answer.waiter == 1 && answer.finding.word?.cache == .stale)
        #expect(scene.book.gaveUp(place, at: scene.now) == nil)
    }

    @Test func `an edge that is fresh again has nothing to give up`() throws {
        var scene = try Scene()
        let (places, fetch) = try scene.wait(1...1)
        scene.book.core.heardLease(head: 10, at: scene.now)
        #expect(scene.book.gaveUp(places[0], at: scene.now) == nil)
        #expect(!scene.book.core.isOriginSilent)
        #expect(scene.book.finished(fetch, .same(position: 10), at: scene.now).answers.map(\.waiter) == [1])
    }

    @Test func `who has waited in time is answered by the fetch only`() throws {
        var scene = try Scene()
        let (places, fetch) = try scene.wait(1...1)
        #expect(scene.book.finished(fetch, .same(position: 10), at: scene.now).answers.map(\.waiter) == [1])
        #expect(scene.book.gaveUp(places[0], at: scene.now) == nil)
    }

    @Test func `the answer that comes after all is for the others`() throws {
        var scene = try Scene()
        let (places, fetch) = try scene.wait(1...3)
        #expect(scene.book.gaveUp(places[1], at: scene.now)?.waiter == 2)
        let answers = scene.book.finished(fetch, .same(position: 10), at: scene.now).answers
        #expect(answers.map(\.waiter) == [1, 3])
        #expect(answers.allSatisfy { $0.finding.word?.cache == .miss })
        #expect(!scene.book.core.isOriginSilent)
    }

    // The pause after one failure is 0.25 s, after many 2 s.
    @Test func `however many give up in one moment, the origin failed once`() throws {
        var scene = try Scene()
        let (places, fetch) = try scene.wait(1...50)
        for place in places { #expect(scene.book.gaveUp(place, at: scene.now) != nil) }
        #expect(scene.book.core.isOriginSilent)
        #expect(scene.ask(51).finding?.word?.cache == .stale, "nobody waits for the question under way")
        scene.now = scene.now + .milliseconds(250)
        let other = CacheQuestion(CacheKey(path: ByteBuffer(string: "/main/index/3/b/bar")), .index)
        #expect(scene.book.ask(other, 52, at: scene.now).started != nil)
        #expect(scene.book.finished(fetch, .same(position: 10), at: scene.now).answers.isEmpty)
    }

    @Test func `a download that is slow to come does not make the origin silent`() throws {
        var scene = try Scene(Self.crate, .crate)
        let place = try scene.wait(1...1).places[0]
        #expect(scene.book.gaveUp(place, at: scene.now)?.finding.word?.cache == .stale)
        #expect(!scene.book.core.isOriginSilent)
    }
}

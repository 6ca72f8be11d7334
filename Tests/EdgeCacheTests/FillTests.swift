import NIOCore
import Registry
import Testing

@testable import EdgeCache

/// A fill brings many files in one answer; each rule of a single question holds for each of them.
struct FillTests {
    /// A scene whose core fills, with a fill for `foo` under way.
    struct Filling {
        var scene = CoreScene(fillsMax: 4)
        let root: UInt64
        let ticket: FillTicket
        let baz = CacheKey(path: ByteBuffer(string: "/main/index/3/b/baz"))

        init(held: (inout CoreScene) -> Void = { _ in }) throws {
            held(&scene)
            guard case .gather(let ticket) = scene.core.ask(scene.question(scene.foo), at: scene.now) else {
                throw CancellationError()
            }
            root = ticket.id
            guard let fill = scene.core.beginFill([root], of: try RepositoryName("main")) else {
                throw CancellationError()
            }
            self.ticket = fill
        }

        @discardableResult
        mutating func list(_ items: [FillItem], at position: UInt64) -> (ends: [FillEnd], figures: FillFigures) {
            scene.core.announced(ticket.id, items, position: position, at: scene.now)
        }

        mutating func file(_ key: CacheKey, _ generation: UInt64 = 1) -> CoreScene.Ended? {
            scene.core.filled(ticket.id, key, CoreScene.value(generation), at: scene.now).map {
                CoreScene.Ended($0.outcome)
            }
        }

        mutating func end(_ failure: FillFailure? = nil) -> [CoreScene.Ended] {
            scene.core.fillEnded(ticket.id, failure, at: scene.now).map { CoreScene.Ended($0.outcome) }
        }
    }

    @Test func `only a name that nothing is known of is asked with its closure`() throws {
        var scene = CoreScene(fillsMax: 4)
        #expect(scene.ask(scene.foo) == .gather(1))
        #expect(scene.ask(scene.foo) == .join(1))
        _ = scene.end(1, .value(CoreScene.value(1), position: 10))
        scene.event(11, .drop(scene.foo, .index))
        #expect(scene.ask(scene.foo) == .start(2), "replaced")
        _ = scene.end(2, .value(CoreScene.value(2), position: 11))
        scene.event(12, .distrust(try RepositoryName("main")))
        #expect(scene.ask(scene.foo) == .start(3), "in doubt")
    }

    @Test func `what is announced is waited for, and what came is served`() throws {
        var filling = try Filling()
        let scene = filling.scene
        #expect(filling.scene.ask(scene.bar) == .gather(2), "nobody knows yet that it will come")
        _ = filling.scene.end(2, .failed(isUnreachable: false))
        filling.list(
            [
                FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag)),
                FillItem(filling.baz, .absent),
            ], at: 10)
        guard case .join(let bar) = filling.scene.ask(scene.bar) else {
            Issue.record("asked beside the fill")
            return
        }
        #expect(bar != filling.root)
        #expect(filling.scene.ask(filling.baz) == .serve(0))
        #expect(filling.file(scene.foo, 3) == .value(3))
        #expect(filling.file(scene.bar, 4) == .value(4))
        #expect(filling.end() == [])
        #expect(filling.scene.ask(scene.foo) == .serve(3))
        #expect(filling.scene.ask(scene.bar) == .serve(4))
        #expect(filling.scene.core.fetchesRunning == 0 && filling.scene.core.fillsRunning == 0)
    }

    // I4
    @Test(arguments: [true, false])
    func `an event while the fill runs marks the names that it touches`(isAnnounced: Bool) throws {
        var filling = try Filling()
        let scene = filling.scene
        let items = [
            FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag)),
            FillItem(filling.baz, .file(CoreScene.tag)),
        ]
        if isAnnounced { filling.list(items, at: 10) }
        filling.scene.event(11, .drop(scene.foo, .index))
        filling.scene.event(12, .drop(scene.bar, .index))
        if !isAnnounced {
            let figures = filling.list(items, at: 10).figures
            #expect(figures.overtaken == 1 && figures.awaited == 2)
        }
        #expect(filling.file(scene.foo) == .again(filling.root), "somebody waits: asked again, alone")
        #expect(filling.file(scene.bar) == (isAnnounced ? .failed : nil), "nobody waits")
        #expect(filling.file(filling.baz, 5) == .value(5), "untouched")
        #expect(filling.scene.core.held(scene.foo) == nil && filling.scene.core.held(scene.bar) == nil)
        #expect(filling.end() == [])
        #expect(filling.scene.end(filling.root, .value(CoreScene.value(2), position: 12)) == .value(2))
    }

    // I4: one who joined gets no old answer either.
    @Test func `a marked file that somebody waits for is asked again`() throws {
        var filling = try Filling()
        let scene = filling.scene
        filling.list([FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))], at: 10)
        guard case .join(let bar) = filling.scene.ask(scene.bar) else {
            Issue.record("asked beside the fill")
            return
        }
        filling.scene.event(11, .drop(scene.bar, .index))
        #expect(filling.file(scene.bar) == .again(bar))
        #expect(filling.end() == [.again(filling.root)], "the root never came")
        #expect(filling.scene.ask(scene.bar) == .join(bar))
        #expect(filling.scene.end(bar, .value(CoreScene.value(2), position: 11)) == .value(2))
    }

    enum Doubt: CaseIterable { case everything, repository, replacement }

    // I4
    @Test(arguments: Doubt.allCases, [true, false])
    func `what throws doubt on all of it makes older files unstorable`(doubt: Doubt, isAnnounced: Bool) throws {
        var filling = try Filling()
        let scene = filling.scene
        let change: CacheChange =
            switch doubt {
            case .everything: .distrustEverything
            case .repository: .distrust(try RepositoryName("main"))
            case .replacement: .replace(scene.bar, .index, kept: nil)
            }
        let items = [FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))]
        if isAnnounced { filling.list(items, at: 10) }
        filling.scene.event(11, change)
        if !isAnnounced { filling.list(items, at: 10) }
        #expect([nil, .failed].contains(filling.file(scene.bar)))
        #expect(filling.scene.core.held(scene.bar) == nil)
        #expect(filling.file(scene.foo) == (doubt == .replacement ? .value(1) : .again(filling.root)))
    }

    // I4
    @Test func `a snapshot after the doubt is good`() throws {
        var filling = try Filling()
        let scene = filling.scene
        filling.scene.event(11, .distrustEverything)
        filling.list([FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))], at: 11)
        #expect(filling.file(scene.bar, 2) == .value(2))
        #expect(filling.scene.ask(scene.bar) == .serve(2))
    }

    // I4
    @Test(arguments: [true, false])
    func `after a reset nothing of a running fill is stored`(isAnnounced: Bool) throws {
        var filling = try Filling()
        let scene = filling.scene
        let items = [
            FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag)),
            FillItem(filling.baz, .absent),
        ]
        if isAnnounced { filling.list(Array(items.prefix(2)), at: 10) }
        filling.scene.core.reset(to: 5, at: filling.scene.now)
        if !isAnnounced { filling.list(items, at: 10) }
        #expect(filling.file(scene.foo) == .again(filling.root))
        #expect([nil, .failed].contains(filling.file(scene.bar)))
        for key in [scene.foo, scene.bar, filling.baz] { #expect(filling.scene.core.held(key) == nil) }
    }

    @Test func `what is held in this state is a no-op`() throws {
        var filling = try Filling { scene in scene.hold(scene.bar, generation: 7, at: 10) }
        let scene = filling.scene
        let figures = filling.list(
            [FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))], at: 10
        ).figures
        #expect(figures.held == 1)
        #expect(filling.file(scene.bar, 6) == nil)
        #expect(filling.scene.ask(scene.bar) == .serve(7))
    }

    @Test func `what is held is named in the question, and verified by the answer`() throws {
        var filling = try Filling { scene in
            scene.hold(scene.bar, generation: 7, at: 10)
            scene.core.reset(to: 10, at: scene.now)
        }
        let scene = filling.scene
        let tag = try #require(CoreScene.value(7).tag)
        let ticket = filling.ticket
        #expect(ticket.held.map(\.key) == [scene.bar] && ticket.held.map(\.tag) == [tag])
        filling.list([FillItem(scene.bar, .same(tag))], at: 10)
        #expect(filling.scene.ask(scene.bar) == .serve(7), "without a question")
    }

    // Two files can have the same mark.
    @Test func `another file than the one held is not taken for it`() throws {
        var filling = try Filling { scene in
            scene.hold(scene.bar, generation: 7, at: 10)
            scene.core.reset(to: 10, at: scene.now)
        }
        let scene = filling.scene
        let tag = try #require(CoreScene.value(8).tag)
        filling.list([FillItem(scene.foo, .same(tag)), FillItem(scene.bar, .same(tag))], at: 10)
        guard case .start = filling.scene.ask(scene.bar) else {
            Issue.record("served, or waited for what never comes")
            return
        }
        #expect(filling.end() == [])
        #expect(filling.scene.end(filling.root, .value(CoreScene.value(1), position: 10)) == .value(1))
    }

    @Test func `a cut stream costs only what is not complete`() throws {
        var filling = try Filling()
        let scene = filling.scene
        filling.list(
            [
                FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag)),
                FillItem(filling.baz, .file(CoreScene.tag)),
            ], at: 10)
        #expect(filling.file(scene.bar, 2) == .value(2))
        #expect(filling.end(.unreachable) == [.again(filling.root), .failed])
        #expect(filling.scene.ask(scene.bar) == .serve(2))
        #expect(filling.scene.core.fetchesRunning == 1)
    }

    @Test func `an origin that can't be reached is asked for no closure until it has answered`() throws {
        var filling = try Filling()
        let scene = filling.scene
        filling.scene.pass(.seconds(6))
        #expect(filling.end(.unreachable) == [.failed])
        filling.scene.pass(.seconds(1))
        #expect(filling.scene.ask(scene.foo) == .start(2))
        #expect(filling.scene.end(2, .value(CoreScene.value(1), position: 10)) == .value(1))
        #expect(filling.scene.ask(scene.bar) == .gather(3))
    }

    @Test func `a list that is lost on the way while the edge is fresh leads to single questions`() throws {
        var filling = try Filling()
        let scene = filling.scene
        #expect(filling.scene.ask(scene.bar) == .gather(2))
        #expect(filling.end(.unreachable) == [.again(filling.root), .again(2)])
        #expect(filling.scene.core.beginFill([2], of: try RepositoryName("main"))?.id == nil, "asked for already")
        #expect(filling.scene.end(2, .value(CoreScene.value(1), position: 10)) == .value(1))
        #expect(filling.scene.end(filling.root, .value(CoreScene.value(1), position: 10)) == .value(1))
    }

    @Test(arguments: [FillFailure.unknown, .refused])
    func `an answer that is no closure leads to single questions`(failure: FillFailure) throws {
        var filling = try Filling()
        let scene = filling.scene
        #expect(filling.end(failure) == [.again(filling.root)])
        let next = filling.scene.ask(scene.bar)
        #expect(next == (failure == .unknown ? .start(2) : .gather(2)))
        filling.scene.pass(.seconds(61))
        filling.scene.core.heardLease(head: 10, at: filling.scene.now)
        #expect(filling.scene.ask(filling.baz) == .gather(3))
    }

    @Test func `a name that waits for the next fill is taken over by one that brings it`() throws {
        var filling = try Filling()
        let scene = filling.scene
        #expect(filling.scene.ask(scene.bar) == .gather(2))
        #expect(filling.scene.core.awaitsList(of: try RepositoryName("main")))
        filling.list([FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))], at: 10)
        #expect(!filling.scene.core.awaitsList(of: try RepositoryName("main")))
        #expect(filling.scene.core.beginFill([2], of: try RepositoryName("main"))?.id == nil)
        #expect(filling.file(scene.bar, 2) == .value(2))
    }

    // I5: 18 was published between the fill's snapshot and the client's question.
    @Test func `a name that is asked for with a witness is not taken over by a fill that left before`() throws {
        var filling = try Filling()
        let scene = filling.scene
        #expect(filling.scene.ask(scene.bar, witness: 18) == .gather(2))
        filling.list([FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))], at: 10)
        #expect(filling.file(scene.bar, 17) == nil, "not for one who has seen 18")
        #expect(filling.end() == [.again(filling.root)])
        let next = filling.scene.core.beginFill([2], of: try RepositoryName("main"))
        #expect(next?.roots == [scene.bar])
    }

    // I5
    @Test func `a witness that comes after the takeover makes the edge ask again`() throws {
        var filling = try Filling()
        let scene = filling.scene
        #expect(filling.scene.ask(scene.bar) == .gather(2))
        filling.list([FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))], at: 10)
        #expect(filling.scene.ask(scene.bar, witness: 18) == .join(2))
        #expect(filling.file(scene.bar, 17) == .again(2))
    }

    @Test func `names held back for a list that can't be had are not sent after it`() throws {
        var filling = try Filling()
        let scene = filling.scene
        let other = CacheKey(path: ByteBuffer(string: "/other/index/3/f/foo"))
        #expect(filling.scene.ask(scene.bar) == .gather(2))
        #expect(filling.scene.ask(other) == .gather(3))
        filling.scene.pass(.seconds(6))
        #expect(filling.end(.unreachable) == [.failed, .failed])
        #expect(filling.scene.core.beginFill([2], of: try RepositoryName("main"))?.id == nil)
        #expect(filling.scene.core.beginFill([3], of: try RepositoryName("other"))?.roots == [other])
        filling.scene.pass(.seconds(1))
        #expect(filling.scene.ask(scene.bar) == .start(4))
    }

    @Test func `names held back leave with the next fill when the list broke off`() throws {
        var filling = try Filling()
        let scene = filling.scene
        filling.list([FillItem(scene.foo, .file(CoreScene.tag))], at: 10)
        #expect(filling.scene.ask(scene.bar) == .gather(2))
        #expect(filling.end(.unreachable) == [.again(filling.root)])
        #expect(filling.scene.core.beginFill([2], of: try RepositoryName("main"))?.roots == [scene.bar])
    }

    @Test func `what is coming is named as held by the next question`() throws {
        var filling = try Filling()
        let scene = filling.scene
        filling.list([FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))], at: 10)
        #expect(filling.scene.ask(filling.baz) == .gather(3))
        let main = try RepositoryName("main")
        guard let next = filling.scene.core.beginFill([3], of: main) else {
            Issue.record("no question")
            return
        }
        #expect(Set(next.held.map(\.key)) == [scene.foo, scene.bar])
    }

    @Test func `where there is hardly room nothing is fetched unasked`() {
        var scene = CoreScene(fillsMax: 4)
        scene.hold(scene.bar, at: 10, bytes: 800_000)
        #expect(scene.ask(scene.foo) == .start(2))
    }

    @Test func `the number of fills is bounded`() throws {
        var filling = try Filling()
        filling.scene.core.fills = Dictionary(
            uniqueKeysWithValues: try (1...4).map {
                ($0, Fill(id: $0, repository: try RepositoryName("main"), floor: 0))
            })
        #expect(filling.scene.ask(filling.scene.bar) == .start(2))
    }

    @Test func `more marks than are remembered count for every name`() throws {
        var fill = Fill(id: 1, repository: try RepositoryName("main"), floor: 5)
        for number in 0..<UInt64(Fill.marksMax) {
            fill.mark(CacheKey(path: ByteBuffer(string: "/main/index/\(number)")), 6 + number)
        }
        #expect(fill.floor == 5)
        fill.mark(CacheKey(path: ByteBuffer(string: "/main/index/more")), 9000)
        #expect(fill.mark(of: CacheKey(path: ByteBuffer(string: "/main/index/other"))) == 9000)
    }

    @Test func `what nobody asked for leaves the memory first`() throws {
        var filling = try Filling()
        let scene = filling.scene
        filling.list([FillItem(scene.foo, .file(CoreScene.tag)), FillItem(scene.bar, .file(CoreScene.tag))], at: 10)
        _ = filling.file(scene.foo)
        _ = filling.file(scene.bar)
        #expect(filling.scene.core.entries[scene.foo]?.wasUsed == true)
        #expect(filling.scene.core.entries[scene.bar]?.wasUsed == false)
    }
}

import HTTPTypes
import Registry
import TestSupport
import Testing

@testable import Origin

/// Another order of a repository's upstreams, and whose lines count then.
struct UpstreamOrderTests {
    private static let audited = "upstream.set"

    /// A repository that reads through to `up` and then to `next`.
    private static func with(
        _ body: @Sendable @escaping (UpstreamScene, ScriptedUpstream) async throws -> Void
    ) async throws {
        try await UpstreamScene.with { scene in
            try await ScriptedUpstream.with { next in
                try await add("next", next, scene)
                try await body(scene, next)
            }
        }
    }

    private static func add(
        _ name: String, _ upstream: ScriptedUpstream, at position: Int? = nil, _ scene: UpstreamScene
    ) async throws {
        let offer = UpstreamOffer(
            name: try RepositoryName(name), index: try #require(UpstreamIndex(upstream.url)), freshSeconds: 86_400,
            privateAllowed: true)
        try await scene.store.add(offer, at: position, to: scene.repository, by: .commandLine)
    }

    private static func move(_ name: String, to position: Int, _ scene: UpstreamScene) async throws {
        _ = try await scene.store.change(
            RepositoryName(name), UpstreamChange(position: position), in: scene.repository, by: .commandLine)
    }

    private static func names(_ scene: UpstreamScene) async throws -> [String] {
        try await scene.store.list(of: scene.repository).map(\.name)
    }

    private static func versions(_ name: String, _ scene: UpstreamScene) async throws -> [String] {
        try await scene.index(name).text.split(separator: "\n").map {
            try IndexLine(parsing: String($0)).version.description
        }
    }

    @Test(
        arguments: [
            (3, 1, [3, 1, 2], .init(from: 3, to: 1)), (1, 3, [2, 3, 1], .init(from: 1, to: 3)),
            (2, 2, [1, 2, 3], .init(from: 2, to: 2)), (1, 2, [2, 1, 3], .init(from: 1, to: 2)),
            (1, 0, [1, 2, 3], nil), (1, 4, [1, 2, 3], nil), (1, .min, [1, 2, 3], nil), (9, 1, [1, 2, 3], nil),
        ] as [(Int64, Int, [Int64], UpstreamOrder.Move?)])
    func `one is moved, and the others keep their order`(
        upstream: Int64, position: Int, after: [Int64], move: UpstreamOrder.Move?
    ) {
        var order = UpstreamOrder([1, 2, 3])
        #expect(order.move(upstream, to: position) == move)
        #expect(order.upstreams == after)
    }

    @Test func `the order is set, audited with the place before, and told to edges`() async throws {
        try await Self.with { scene, next in
            try await Self.add("first", next, at: 1, scene)
            #expect(try await Self.names(scene) == ["first", "up", "next"])
            let position = try await scene.origin.slices.repositories.list().position
            try await Self.move("next", to: 1, scene)
            #expect(try await Self.names(scene) == ["next", "first", "up"])
            #expect(try await scene.store.overview(of: nil).map(\.position) == [1, 2, 3])
            #expect(try await scene.origin.slices.repositories.list().position == position + 1)
            for wrong in [0, 4] {
                let refused = await #expect(throws: Refusal.self) { try await Self.move("up", to: wrong, scene) }
                #expect(refused?.status == .badRequest && refused?.detail.contains("3 upstreams") == true)
            }
            #expect(try await Self.names(scene) == ["next", "first", "up"])
            try await scene.store.remove(RepositoryName("next"), from: scene.repository, by: .commandLine)
            try await Self.move("first", to: 2, scene)
            #expect(try await Self.names(scene) == ["up", "first"])

            let lines = try await scene.origin.slices.auditTrail.list(AuditFilter(after: 0, limit: 100))
            #expect(lines.first { $0.detail["upstream"] == "first" }?.detail["position"] == "1")
            let told = lines.filter { $0.action == Self.audited }.map(\.detail)
            #expect(told.map { $0["position"] } == ["1", "2"] && told.map { $0["position_before"] } == ["3", "1"])
        }
    }

    @Test func `over HTTP a PUT names the position, and one without leaves it`() async throws {
        try await TestOrigin.with { origin in
            try await origin.repository("main")
            let ann = TestOrigin.Caller.token(try await origin.token("ann", [.admin], in: ["main"]))
            func put(_ name: String, _ position: String? = nil) async throws -> HTTPAnswer {
                let more = position.map { #","position":\#($0)"# } ?? ""
                return try await origin.call(
                    "PUT", "/api/v1/repositories/main/upstreams/\(name)", as: ann,
                    json: #"{"index":"https://\#(name).example/"\#(more)}"#)
            }
            for (name, position, after) in [("one", nil, 1), ("two", "1", 1), ("one", nil, 2), ("one", "1", 1)] {
                let answer = try await put(name, position)
                #expect(answer.text.contains(#""position":\#(after)"#), "\(answer.text)")
            }
            for wrong in ["0", "3", "-9223372036854775808", "9223372036854775807", "1.5", #""1""#, "1e99"] {
                #expect(try await put("one", wrong).status == 400, "\(wrong)")
            }
            // Not made either, if there is no such place for it.
            #expect(try await put("three", "4").status == 400)
            let list = try await origin.call("GET", "/api/v1/repositories/main/upstreams", as: ann).text
            #expect(list.contains("one.example") && list.contains("two.example") && !list.contains("three"))
        }
    }

    @Test func `who changes the order at once does it one after the other`() async throws {
        try await Self.with { scene, next in
            for number in 3...6 { try await Self.add("up-\(number)", next, scene) }
            try await withThrowingTaskGroup { group in
                for name in try await Self.names(scene) {
                    group.addTask { try await Self.move(name, to: name == "up" ? 6 : 1, scene) }
                }
                try await group.waitForAll()
            }
            let names = try await Self.names(scene)
            #expect(Set(names) == ["up", "next", "up-3", "up-4", "up-5", "up-6"])
            #expect(try await scene.store.overview(of: scene.repository).map(\.position) == Array(1...6))
        }
    }

    @Test func `what the one that comes first now has takes over when it is next asked for`() async throws {
        try await Self.with { scene, next in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            try scene.upstream.offer(MadeCrate("bar", "1.0.0"))
            try next.offer(MadeCrate("foo", "2.0.0"))
            #expect(try await Self.versions("foo", scene) == ["1.0.0"])
            #expect(try await Self.versions("bar", scene) == ["1.0.0"])
            #expect(next.requests == [])
            try await Self.move("next", to: 1, scene)
            #expect(try await Self.versions("foo", scene) == ["2.0.0"])
            // What it does not have is still the other's, and asked of it once.
            for _ in 0..<2 { #expect(try await Self.versions("bar", scene) == ["1.0.0"]) }
            #expect(next.requests == ["3/f/foo", "3/b/bar"])
            try await scene.refresh("foo")
            #expect(try await Self.versions("foo", scene) == ["2.0.0"])

            try await Self.move("next", to: 2, scene)
            #expect(try await Self.versions("foo", scene) == ["1.0.0"])
        }
    }

    @Test func `while the one that comes first now can't tell, what is held is served`() async throws {
        try await Self.with { scene, next in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            try next.offer(MadeCrate("foo", "2.0.0"))
            next.set { $0.status = .badGateway }
            #expect(try await Self.versions("foo", scene) == ["1.0.0"])
            try await Self.move("next", to: 1, scene)
            for _ in 0..<2 { #expect(try await Self.versions("foo", scene) == ["1.0.0"]) }
            #expect(next.requests == ["3/f/foo"])
            #expect(try await scene.faults().count == 1)
            // Of what nobody brought yet only the first can tell.
            #expect(try await scene.index("bar").status == 503)
            next.set { $0.status = nil }
            try await scene.endPauses()
            #expect(try await Self.versions("foo", scene) == ["2.0.0"])
        }
    }

    @Test func `an answer that was under way when the order changed does not take back what the first one has`()
        async throws
    {
        try await Self.with { scene, next in
            try scene.upstream.offer(MadeCrate("foo", "1.0.0"))
            try next.offer(MadeCrate("foo", "2.0.0"))
            scene.upstream.set { $0.isHeld = true }
            async let early = scene.index("foo")
            while scene.upstream.requests.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
            try await Self.move("next", to: 1, scene)
            #expect(try await Self.versions("foo", scene) == ["2.0.0"])
            scene.upstream.set { $0.isHeld = false }
            #expect(try await early.text.contains("2.0.0"))
            #expect(try await Self.versions("foo", scene) == ["2.0.0"])
        }
    }
}

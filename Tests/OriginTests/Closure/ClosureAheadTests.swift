import Postgres
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Origin

/// Closures in repositories whose upstreams nobody asked for most of it yet.
struct ClosureAheadTests {
    /// Longer than any of it takes here.
    private static let patient: ClosureAhead.Limits = {
        var limits = ClosureAhead.Limits()
        limits.waitMax = .seconds(120)
        return limits
    }()

    private static func offer(_ name: String, needs names: [String] = [], at upstream: ScriptedUpstream) throws {
        let needs = names.map {
            #"{"name":"\#($0)","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}"#
        }
        let line = """
            {"name":"\(name)","vers":"1.0.0","deps":[\(needs.joined(separator: ","))],"cksum":"\(checksum(of: name))",\
            "features":{},"yanked":false}

            """
        let path = try CrateName(name).indexPath.description
        upstream.set { $0.index[path] = Array(line.utf8) }
    }

    private static func checksum(of name: String) -> String {
        String(repeating: "ab", count: 31) + (name.utf8.count % 2 == 0 ? "00" : "11")
    }

    private static func ahead(
        _ scene: UpstreamScene, _ limits: ClosureAhead.Limits = patient
    ) -> ClosureAhead {
        ClosureAhead(
            store: ClosureStore(pool: scene.origin.slices.pool), upstreams: scene.origin.slices.upstreamDesk,
            limits: limits)
    }

    /// Names that the closure of `root` brings, and those that it calls absent.
    private static func ask(
        _ ahead: ClosureAhead, _ root: String, _ scene: UpstreamScene
    ) async throws -> (brought: [String], absent: [String]) {
        let question = ClosureQuestion(roots: [try CrateName(root).indexPath])
        let list = Mutex<[ClosureList.Item]>([])
        let isGathered = try await ahead.prepare(question, in: scene.repository)
        try await ahead.read(question, in: scene.repository, isPacked: true, isGathered: isGathered) { part in
            if case .list(let made, _, _) = part { list.withLock { $0 = made.items } }
        }
        let items = list.withLock { $0 }
        return (
            items.filter { $0.state != .absent }.map(\.path.name).sorted(),
            items.filter { $0.state == .absent }.map(\.path.name).sorted()
        )
    }

    private static let graph = [
        "app": ["left", "right", "gone"], "left": ["deep"], "right": ["deep", "wide"], "deep": ["deeper"],
        "deeper": [], "wide": [],
    ]

    @Test func `one question brings all that a resolver asks next, though nobody asked for it before`() async throws {
        try await UpstreamScene.with { scene in
            for (name, needs) in Self.graph { try Self.offer(name, needs: needs, at: scene.upstream) }
            let ahead = Self.ahead(scene)
            #expect(try await Self.ask(ahead, "app", scene).brought == Self.graph.keys.sorted())
            let paths = try (Array(Self.graph.keys) + ["gone"]).map { try CrateName($0).indexPath.description }
            #expect(scene.upstream.requests.sorted() == paths.sorted())
            // Now all is known.
            #expect(try await Self.ask(ahead, "app", scene).brought == Self.graph.keys.sorted())
            #expect(scene.upstream.requests.count == paths.count)
            // Relayed byte for byte, and each change is in the log and in the feed.
            let served = try await scene.index("right")
            #expect(served.status == 200 && served.text.contains(#""name":"wide""#))
            let rows = try await scene.origin.slices.pool.query(
                """
                SELECT (SELECT count(*) FROM audit WHERE action = 'upstream.change') AS lines,
                  (SELECT count(*) FROM feed WHERE kind = 'index') AS events
                """)
            #expect(try rows.first?.value("lines", as: Int.self) == Self.graph.count)
            #expect(try rows.first?.value("events", as: Int.self) == Self.graph.count)
        }
    }

    @Test func `what an upstream is not asked for is not asked ahead either, nor called absent`() async throws {
        let filter = UpstreamFilter(exclude: try [#require(CratePattern("out-*"))])
        try await UpstreamScene.with(filter: filter) { scene in
            try await scene.store.reserve(
                [#require(CratePattern("acme-*"))], in: scene.repository, by: .commandLine)
            try Self.offer("app", needs: ["acme-core", "out-there", "fine"], at: scene.upstream)
            for name in ["acme-core", "out-there", "fine"] { try Self.offer(name, at: scene.upstream) }
            let closure = try await Self.ask(Self.ahead(scene), "app", scene)
            #expect(closure.brought == ["app", "fine"] && closure.absent == [])
            #expect(scene.upstream.requests.sorted() == ["3/a/app", "fi/ne/fine"])
        }
    }

    @Test func `no more names are asked than the limit says`() async throws {
        try await UpstreamScene.with { scene in
            let names = (0..<12).map { "leaf\($0)" }
            try Self.offer("app", needs: names, at: scene.upstream)
            for name in names { try Self.offer(name, at: scene.upstream) }
            var limits = Self.patient
            limits.namesMax = 4
            #expect(try await Self.ask(Self.ahead(scene, limits), "app", scene).brought.contains("app"))
            // The asked name itself may be known before the look begins.
            #expect((4...5).contains(scene.upstream.requests.count))
        }
    }

    @Test func `while an upstream is left alone nothing is asked ahead`() async throws {
        try await UpstreamScene.with { scene in
            try Self.offer("app", needs: ["next"], at: scene.upstream)
            try Self.offer("next", at: scene.upstream)
            #expect(try await scene.index("app").status == 200)
            _ = try await scene.origin.slices.pool.execute(
                "UPDATE upstreams SET paused_until = now() + interval '1 hour'")
            let closure = try await Self.ask(Self.ahead(scene), "app", scene)
            #expect(closure.brought == ["app"] && closure.absent == [])
            #expect(scene.upstream.requests == ["3/a/app"])
        }
    }

    @Test func `a closure does not wait longer than its time, and what comes later is there for the next`() async throws
    {
        try await UpstreamScene.with { scene in
            try Self.offer("app", needs: ["next"], at: scene.upstream)
            try Self.offer("next", at: scene.upstream)
            #expect(try await scene.index("app").status == 200)
            scene.upstream.set { $0.isHeld = true }
            var limits = ClosureAhead.Limits()
            limits.waitMax = .milliseconds(50)
            let ahead = Self.ahead(scene, limits)
            #expect(try await Self.ask(ahead, "app", scene).brought == ["app"])
            scene.upstream.set { $0.isHeld = false }
            while try await Self.ask(ahead, "app", scene).brought != ["app", "next"] {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(scene.upstream.requests == ["3/a/app", "ne/xt/next"])
        }
    }

    @Test func `who waits for a name goes before all that is asked ahead`() async throws {
        try await UpstreamScene.with { scene in
            let names = (0..<30).map { "leaf\($0)" }
            try Self.offer("app", needs: names, at: scene.upstream)
            for name in names { try Self.offer(name, at: scene.upstream) }
            #expect(try await scene.index("app").status == 200)
            scene.upstream.set { $0.isHeld = true }
            async let closure = Self.ask(Self.ahead(scene), "app", scene)
            // So many over HTTP/1.1, which leaves connections for others.
            while scene.upstream.requests.count < 1 + 16 { try await Task.sleep(for: .milliseconds(10)) }
            let asked = Set(scene.upstream.requests)
            let waiting = try #require(try names.first { try !asked.contains(CrateName($0).indexPath.description) })
            let path = try CrateName(waiting).indexPath.description
            async let direct: Void = scene.origin.slices.upstreamDesk.prepare(CrateName(waiting), in: scene.repository)
            while !scene.upstream.requests.contains(path) { try await Task.sleep(for: .milliseconds(10)) }
            #expect(scene.upstream.requests.count == 1 + 16 + 1)
            scene.upstream.set { $0.isHeld = false }
            try await direct
            #expect(try await closure.brought == (["app"] + names).sorted())
            // Nothing was asked twice.
            #expect(scene.upstream.requests.count == 1 + names.count)
        }
    }
}

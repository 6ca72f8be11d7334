import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// Closures in repositories whose upstreams nobody asked for most of it yet.
struct ClosureAheadTests {
    private static let graph = [
        "app": ["left", "right", "gone"], "left": ["deep"], "right": ["deep", "wide"], "deep": ["deeper"],
        "deeper": [], "wide": [],
    ]

    @Test func `one question brings all that a resolver asks next, though nobody asked for it before`() async throws {
        try await UpstreamScene.with { scene in
            for (name, needs) in Self.graph { try scene.offer(name, needs: needs) }
            let ahead = scene.ahead()
            #expect(try await scene.closure(of: "app", by: ahead).brought == Self.graph.keys.sorted())
            let paths = try (Array(Self.graph.keys) + ["gone"]).map { try CrateName($0).indexPath.description }
            #expect(scene.upstream.requests.sorted() == paths.sorted())
            // Now all is known.
            #expect(try await scene.closure(of: "app", by: ahead).brought == Self.graph.keys.sorted())
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
            try scene.offer("app", needs: ["acme-core", "out-there", "fine"])
            for name in ["acme-core", "out-there", "fine"] { try scene.offer(name) }
            let closure = try await scene.closure(of: "app", by: scene.ahead())
            #expect(closure.brought == ["app", "fine"] && closure.absent == [])
            #expect(scene.upstream.requests.sorted() == ["3/a/app", "fi/ne/fine"])
        }
    }

    @Test func `no more names are asked than the limit says`() async throws {
        try await UpstreamScene.with { scene in
            let names = (0..<12).map { "leaf\($0)" }
            try scene.offer("app", needs: names)
            for name in names { try scene.offer(name) }
            var limits = ClosureAhead.Limits.patient
            limits.namesMax = 4
            #expect(try await scene.closure(of: "app", by: scene.ahead(limits)).brought.contains("app"))
            // The asked name itself may be known before the look begins.
            #expect((4...5).contains(scene.upstream.requests.count))
        }
    }

    @Test func `while an upstream is left alone nothing is asked ahead`() async throws {
        try await UpstreamScene.with { scene in
            try scene.offer("app", needs: ["next"])
            try scene.offer("next")
            #expect(try await scene.index("app").status == 200)
            _ = try await scene.origin.slices.pool.execute(
                "UPDATE upstreams SET paused_until = now() + interval '1 hour'")
            let closure = try await scene.closure(of: "app", by: scene.ahead())
            #expect(closure.brought == ["app"] && closure.absent == [])
            #expect(scene.upstream.requests == ["3/a/app"])
        }
    }

    @Test func `a closure does not wait longer than its time, and what comes later is there for the next`() async throws
    {
        try await UpstreamScene.with { scene in
            try scene.offer("app", needs: ["next"])
            try scene.offer("next")
            #expect(try await scene.index("app").status == 200)
            scene.upstream.set { $0.isHeld = true }
            var limits = ClosureAhead.Limits()
            limits.waitMax = .milliseconds(50)
            let ahead = scene.ahead(limits)
            #expect(try await scene.closure(of: "app", by: ahead).brought == ["app"])
            scene.upstream.set { $0.isHeld = false }
            while try await scene.closure(of: "app", by: ahead).brought != ["app", "next"] {
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(scene.upstream.requests == ["3/a/app", "ne/xt/next"])
        }
    }

    @Test func `who waits for a name goes before all that is asked ahead`() async throws {
        try await UpstreamScene.with { scene in
            let names = (0..<30).map { "leaf\($0)" }
            try scene.offer("app", needs: names)
            for name in names { try scene.offer(name) }
            #expect(try await scene.index("app").status == 200)
            scene.upstream.set { $0.isHeld = true }
            async let closure = scene.closure(of: "app", by: scene.ahead())
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

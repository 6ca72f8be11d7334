import NIOCore
import Registry
import TestSupport
import Testing

@testable import Edge

/// A name that nothing is known of is asked together with what its resolution will ask next.
struct ClosureFillTests {
    private static let lines = ["app": "app 1\n", "mid": "mid 1\n", "leaf": "leaf 1\n", "far": "far 1\n"]

    private func path(_ name: String) throws -> String { "/main/index/\(try CrateName(name).indexPath)" }

    /// An edge before an origin with `app` → `mid`, `gone` → `leaf` → `far`.
    private func edge(
        _ change: @escaping @Sendable (inout ScriptedOrigin.Script) -> Void = { _ in },
        _ body: @Sendable @escaping (RunningEdge) async throws -> Void
    ) async throws {
        try await withTemporaryFolder("fill") { folder in
            let origin = ScriptedOrigin()
            origin.change { script in
                for (name, text) in Self.lines {
                    guard let crate = try? CrateName(name) else { continue }
                    script.indexFiles["main/\(crate.indexPath)"] = (1, text)
                }
                script.closures = ["app": ["mid", "gone"], "mid": ["leaf"], "leaf": ["far"]]
                change(&script)
            }
            try await origin.start()
            try await RunningEdge.run(origin, in: folder, body)
            try await origin.stop()
        }
    }

    @Test func `one question to the origin answers a whole resolution, byte for byte`() async throws {
        try await edge { edge async throws in
            let first = try await edge.get(try path("app"))
            #expect(first.xCache == "MISS" && first.body == "app 1\n")
            for (name, text) in Self.lines {
                // A MISS while the answer is still coming in; never a question of its own, as counted below.
                try await edge.until("\(name) is there") { try await edge.get(try path(name)).xCache == "HIT" }
                let answer = try await edge.get(try path(name))
                #expect(answer.status == 200 && answer.body == text && answer.xCache == "HIT")
                #expect(answer.headers["etag"]?.hasPrefix("\"g1-") == true)
            }
            let absent = try await edge.get(try path("gone"))
            #expect(absent.status == 404 && absent.headers["cache-control"] == "no-store")
            #expect(edge.origin.count(of: "/edge/v1/closure/main") == 1)
            #expect(edge.origin.count(of: "/edge/v1/index/") == 0)
        }
    }

    @Test func `a burst is one question`() async throws {
        try await edge { edge async throws in
            // The edge is asked as cargo asks: all at once, and again while the answer is on its way.
            edge.origin.change { $0.delay = .milliseconds(300) }
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    for name in ["app", "mid", "far"] {
                        group.addTask { try await edge.get(try path(name)).status }
                    }
                }
                for try await status in group { #expect(status == 200) }
            }
            #expect(edge.origin.count(of: "/edge/v1/index/") == 0)
            let roots = edge.origin.closureQuestions.flatMap(\.roots).map(\.name)
            #expect(roots.sorted() == ["app", "far", "mid"], "each name is asked for once")
        }
    }

    @Test func `a single invalidated file is a single question`() async throws {
        try await edge { edge async throws in
            _ = try await edge.get(try path("app"))
            // What an event overtakes on its way was never held, and is asked for with its closure.
            try await edge.until("mid is held") { try await edge.get(try path("mid")).xCache == "HIT" }
            try await edge.untilApplied(try edge.origin.publish("mid", "mid 2\n", generation: 2))
            let answer = try await edge.get(try path("mid"))
            #expect(answer.body == "mid 2\n" && answer.xCache == "MISS")
            #expect(edge.origin.count(of: "/edge/v1/closure/main") == 1)
            #expect(edge.origin.count(of: "/edge/v1/index/") == 1)
        }
    }

    @Test func `the edge says what it holds`() async throws {
        try await edge {
            $0.closures?["far"] = []
        } _: { edge async throws in
            _ = try await edge.get(try path("leaf"))
            _ = try await edge.get(try path("app"))
            #expect(edge.origin.closureQuestions.map(\.held.count) == [0, 2])
            #expect(try await edge.get(try path("far")).body == "far 1\n")
            #expect(edge.origin.count(of: "/edge/v1/index/") == 0)
        }
    }

    // I4
    @Test func `a closure that an event overtook is not served`() async throws {
        try await edge { edge async throws in
            edge.origin.change { $0.delay = .milliseconds(400) }
            async let asked = edge.get(try path("app"))
            try await edge.until("the question") { edge.origin.count(of: "/edge/v1/closure/main") == 1 }
            try await edge.untilApplied(try edge.origin.publish("mid", "mid 2\n", generation: 2))
            edge.origin.change { $0.delay = .zero }
            #expect(try await asked.body == "app 1\n")
            #expect(try await edge.get(try path("mid")).body == "mid 2\n")
            try await edge.until("leaf is there") { try await edge.get(try path("leaf")).xCache == "HIT" }
        }
    }

    @Test func `an origin that knows no closures is asked as before`() async throws {
        try await edge {
            $0.closures = nil
        } _: { edge async throws in
            for (name, text) in Self.lines {
                let answer = try await edge.get(try path(name))
                #expect(answer.body == text && answer.xCache == "MISS")
            }
            #expect(try await edge.get(try path("gone")).status == 404)
            #expect(edge.origin.count(of: "/edge/v1/closure/main") == 1, "not asked again for a while")
        }
    }

    @Test(arguments: [0, 3, 40, 150, 200])
    func `a stream that is cut costs only what was not complete`(bytes: Int) async throws {
        try await edge {
            $0.cutsClosuresAfter = bytes
        } _: { edge async throws in
            for (name, text) in Self.lines.sorted(by: { $0.key < $1.key }) {
                #expect(try await edge.get(try path(name)).body == text)
            }
            #expect(try await edge.get(try path("gone")).status == 404)
        }
    }

    @Test(arguments: [1, 3, 32])
    func `an origin that knows parts is asked in parts, and all of them are one closure`(parts: Int) async throws {
        try await edge {
            $0.closureParts = parts
        } _: { edge async throws in
            let first = try await edge.get(try path("app"))
            #expect(first.xCache == "MISS" && first.body == "app 1\n")
            for (name, text) in Self.lines {
                let answer = try await edge.get(try path(name))
                #expect(answer.status == 200 && answer.body == text)
            }
            #expect(try await edge.get(try path("gone")).status == 404)
            #expect(edge.origin.count(of: "/edge/v1/closure/main") == parts)
            #expect(Set(edge.origin.closureQuestions).count == 1, "each part asks the same")
            #expect(edge.origin.count(of: "/edge/v1/index/") == 0)
        }
    }

    @Test func `what came packed is served packed, as it came`() async throws {
        let text = (0..<400).map { "app 1.\($0 * $0 * 7919)\n" }.joined()
        try await edge {
            $0.closureParts = 4
            $0.indexFiles["main/3/a/app"] = (1, text)
        } _: { edge async throws in
            #expect(try await edge.get(try path("app")).body == text)
            let url = "http://127.0.0.1:\(edge.app.boundAddresses[0].port ?? 0)\(try path("app"))"
            let packed = try await runTool("curl", ["-si", "--compressed", "-H", "accept-encoding: gzip", url])
            #expect(packed.output.hasSuffix(text), "\(packed.output.prefix(500))")
            let head = packed.output.prefix(1000).lowercased()
            for field in ["content-encoding: gzip", "etag: \"g1-", "x-cache: hit"] { #expect(head.contains(field)) }
        }
    }

    @Test func `files that come in pieces are whole, and a part that is cut costs questions, not files`() async throws {
        for cut in [nil, 60, 200] {
            try await edge {
                $0.closureParts = 3
                $0.cutsMembers = true
                $0.cutsClosuresAfter = cut
            } _: { edge async throws in
                for (name, text) in Self.lines { #expect(try await edge.get(try path(name)).body == text) }
                if cut == nil { #expect(edge.origin.count(of: "/edge/v1/index/") == 0) }
            }
        }
    }

    // I8
    @Test func `a damaged member is not served: its file is asked for alone`() async throws {
        try await edge {
            $0.closureParts = 4
            $0.damagesMembers = true
        } _: { edge async throws in
            for (name, text) in Self.lines { #expect(try await edge.get(try path(name)).body == text) }
            #expect(edge.origin.count(of: "/edge/v1/index/") > 0)
        }
    }

    @Test(arguments: [0, 3, 40, 150])
    func `parts that are cut cost only what was not complete`(bytes: Int) async throws {
        try await edge {
            $0.closureParts = 3
            $0.cutsClosuresAfter = bytes
        } _: { edge async throws in
            for (name, text) in Self.lines.sorted(by: { $0.key < $1.key }) {
                #expect(try await edge.get(try path(name)).body == text)
            }
            #expect(try await edge.get(try path("gone")).status == 404)
        }
    }
}
